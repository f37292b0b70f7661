from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from scheduler.errors import InvalidInputError, NotFoundError, ProgramError
from scheduler.images import build
from scheduler.images.context import Context
from tests.unit.images.workshop import BASE, BASE_DIGEST, REGISTRY, Workshop, chart, write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    chart(tmp_path, "runtime", context=["scheduler"], programs=["helm"], args={"A": "1"})
    chart(tmp_path, "flow", after=["runtime"])
    write(tmp_path / "scheduler" / "errors.py", "x = 1")
    write(tmp_path / "scheduler" / "__pycache__" / "errors.cpython-311.pyc", "compiled")
    write(tmp_path / "programs" / "helm", "#!/bin/sh").chmod(0o700)
    return tmp_path


def test_images_are_built_in_order_with_base_arguments_and_earlier_images(root: Path) -> None:
    workshop = Workshop(root)
    made = workshop.images()
    assert workshop.built == ["runtime", "flow"]
    base = f"{REGISTRY}/modelops/base@{BASE_DIGEST}"
    assert workshop.builder.built[0][1] == {"A": "1", "BASE": base}
    assert workshop.builder.built[1][1] == {"BASE": base, "RUNTIME_IMAGE": made["runtime"]}
    assert made["runtime"].startswith(f"{REGISTRY}/modelops/runtime@sha256:")


def test_the_context_is_the_build_folder_the_named_paths_and_the_programs(root: Path) -> None:
    workshop = Workshop(root)
    workshop.images(only=["runtime"])
    assert workshop.builder.built[0][2] == ("bin/helm", "requirements.lock", "scheduler/errors.py")


def test_a_link_to_a_chart_is_followed(root: Path) -> None:
    (root / "scheduler" / "charts").mkdir()
    (root / "scheduler" / "charts" / "flow").symlink_to("../../charts/subcharts/flow")
    workshop = Workshop(root)
    workshop.images(only=["runtime"])
    assert "scheduler/charts/flow/values.yaml" in workshop.builder.built[0][2]


def test_archives_and_locks_are_left_out_only_where_helm_puts_them(root: Path) -> None:
    for name in ("deps.tgz", "Chart.lock", "chart/Chart.yaml", "chart/Chart.lock", "chart/charts/a.tgz", "x.pyc"):
        write(root / "scheduler" / name, "x")
    workshop = Workshop(root)
    workshop.images(only=["runtime"])
    found = {path for path in workshop.builder.built[0][2] if path.startswith("scheduler/")}
    assert found == {f"scheduler/{name}" for name in ("Chart.lock", "chart/Chart.yaml", "deps.tgz", "errors.py")}


def test_what_the_registry_has_is_not_built_again(root: Path) -> None:
    workshop = Workshop(root)
    first = workshop.images()
    second = workshop.images()
    assert (first, workshop.built) == (second, ["runtime", "flow"])
    assert workshop.told[-1] == "image 2 of 2: flow is there already"


def test_a_change_rebuilds_the_image_and_those_that_come_after_it(root: Path) -> None:
    workshop = Workshop(root)
    workshop.images()
    write(root / "scheduler" / "errors.py", "x = 2")
    workshop.images()
    assert workshop.built == ["runtime", "flow", "runtime", "flow"]


def _other_args(workshop: Workshop) -> None:
    chart(workshop.root, "runtime", context=["scheduler"], programs=["helm"], args={"A": "2"})


def _other_base(workshop: Workshop) -> None:
    workshop.registry.digests[BASE] = "sha256:another under the same name"


def _other_mode(workshop: Workshop) -> None:
    (workshop.root / "scheduler" / "errors.py").chmod(0o755)


@pytest.mark.parametrize("change", [_other_args, _other_base, _other_mode])
def test_whatever_an_image_is_made_from_makes_it_anew(root: Path, change: Callable[[Workshop], None]) -> None:
    workshop = Workshop(root)
    workshop.images()
    change(workshop)
    workshop.images()
    assert workshop.built == ["runtime", "flow", "runtime", "flow"]


def test_files_are_laid_out_with_their_content_and_readable_by_all(tmp_path: Path) -> None:
    program, text = write(tmp_path / "program", "#!/bin/sh"), write(tmp_path / "text", "x = 1")
    program.chmod(0o700)
    text.chmod(0o600)

    containerfile = Context(containerfile="FROM scratch", sources={"bin/p": program, "t": text}).lay_out(tmp_path / "c")

    assert containerfile.read_text() == "FROM scratch"
    laid_out = {path: tmp_path / "c" / path for path in ("bin/p", "t")}
    assert {path: oct(file.stat().st_mode & 0o777) for path, file in laid_out.items()} == {
        "bin/p": "0o755",
        "t": "0o644",
    }
    assert [file.read_text() for file in laid_out.values()] == ["#!/bin/sh", "x = 1"]


def test_a_change_of_a_later_image_rebuilds_that_one_alone(root: Path) -> None:
    workshop = Workshop(root)
    workshop.images()
    write(root / "charts" / "subcharts" / "flow" / "build" / "requirements.lock", "a==2")
    workshop.images()
    assert workshop.built == ["runtime", "flow", "flow"]


def test_a_base_is_taken_by_the_digest_that_its_tag_has_now(root: Path) -> None:
    workshop = Workshop(root)
    pinned = build.by_digest(BASE, workshop.registry)
    workshop.registry.digests |= {pinned: BASE_DIGEST, BASE: "sha256:newer"}

    assert pinned == build.by_digest(pinned, workshop.registry) == f"{REGISTRY}/modelops/base@{BASE_DIGEST}"
    assert build.by_digest(BASE, workshop.registry) == f"{REGISTRY}/modelops/base@sha256:newer"


def test_a_missing_base_is_named(root: Path) -> None:
    workshop = Workshop(root)
    workshop.registry.digests.clear()
    with pytest.raises(NotFoundError, match="modelops/base:trixie"):
        workshop.images()


def test_everything_that_a_build_lacks_is_reported_at_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chart(root, "runtime", context=["nothing"], programs=["helm"])
    (root / "programs" / "helm").unlink()
    monkeypatch.setenv("PATH", str(root))
    with pytest.raises(InvalidInputError) as raised:
        Workshop(root).images()
    assert [problem.message for problem in raised.value.problems] == [
        "runtime: context 'nothing' is not there",
        "runtime: program 'helm' is not there",
    ]


def test_files_that_cannot_be_read_are_named_at_once(root: Path) -> None:
    for name in ("one", "two"):
        (root / "scheduler" / name).symlink_to("nowhere")
    with pytest.raises(InvalidInputError) as raised:
        Workshop(root).images()
    assert [str(problem) for problem in raised.value.problems] == [
        f"scheduler/{name}: cannot be read: is a link to 'nowhere', which is not there" for name in ("one", "two")
    ]


def test_a_containerfile_that_is_no_text_is_named(root: Path) -> None:
    (root / "charts" / "subcharts" / "flow" / "build" / "Containerfile").write_bytes(b"FROM \xff")
    with pytest.raises(InvalidInputError, match=r"flow/build/Containerfile: cannot be read: .*utf-8"):
        Workshop(root).images()


def test_a_failed_build_ends_with_the_builders_words(root: Path) -> None:
    write(root / "charts" / "subcharts" / "runtime" / "build" / "Containerfile", "RUN FAIL")
    with pytest.raises(ProgramError, match=r"image runtime was not built: .*FAIL"):
        Workshop(root).images()


def test_the_image_of_a_task_is_made_from_the_program_of_its_name(root: Path) -> None:
    folder = root / "charts" / "subcharts" / "engine"
    builds = [{"name": "engine", "task": "compile-engine", "context": ["scheduler"]}]
    write(folder / "values.yaml", yaml.safe_dump({"builds": builds}))
    write(root / "programs" / "engine", "#!/bin/sh").chmod(0o700)
    workshop = Workshop(root)
    workshop.images(only=["engine"])
    workshop.images(only=["engine"])
    assert [paths for _, _, paths in workshop.builder.built] == [("engine",)]


def test_a_task_whose_program_is_not_here_is_refused(root: Path) -> None:
    builds = [{"name": "no-such-engine", "task": "compile-engine"}]
    write(root / "charts" / "subcharts" / "engine" / "values.yaml", yaml.safe_dump({"builds": builds}))
    with pytest.raises(InvalidInputError, match="no program 'no-such-engine' is here"):
        Workshop(root).images(only=["no-such-engine"])
