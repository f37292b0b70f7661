from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from scheduler.errors import InvalidInputError, NotFoundError, ProgramError
from scheduler.images import build
from scheduler.images.fake import FakeBuilder, FakeRegistry

REGISTRY = "10.217.0.1:5000"
BASE = f"{REGISTRY}/modelops/base:trixie"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    _chart(tmp_path, "runtime", {"name": "runtime", "context": ["scheduler"], "bootstrap": True, "args": {"A": "1"}})
    _chart(tmp_path, "flow", {"name": "flow", "after": ["runtime"]})
    _write(tmp_path / "scheduler" / "errors.py", "x = 1")
    _write(tmp_path / "scheduler" / "__pycache__" / "errors.cpython-311.pyc", "compiled")
    _write(tmp_path / "programs" / "helm", "#!/bin/sh").chmod(0o700)
    return tmp_path


def _chart(root: Path, name: str, declared: dict[str, object]) -> None:
    folder = root / "charts" / "subcharts" / name
    _write(folder / "build" / "Containerfile", "ARG BASE\nFROM ${BASE}")
    _write(folder / "build" / "requirements.lock", "a==1")
    builds = [{"containerfile": "build/Containerfile", **declared}]
    _write(folder / "values.yaml", yaml.safe_dump({"builds": builds}))


def _write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


class Workshop:
    """Builder and registry together, with what was told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.registry = FakeRegistry({BASE: "sha256:base"})
        self.builder = FakeBuilder(self.registry)
        self.told: list[str] = []

    def build(self, only: Sequence[str] = ()) -> dict[str, str]:
        order = build.Order(root=self.root, registry=REGISTRY, base=BASE, binaries=[self.root / "programs"], only=only)
        steps = build.declared(self.root)
        return dict(
            build.images(order, builder=self.builder, registry=self.registry, tell=self.told.append, steps=steps)
        )

    @property
    def built(self) -> list[str]:
        return [reference.split("/")[2].split(":")[0] for reference, _, _ in self.builder.built]


def test_images_are_built_in_order_with_base_arguments_and_earlier_images(root: Path) -> None:
    workshop = Workshop(root)
    made = workshop.build()
    assert workshop.built == ["runtime", "flow"]
    assert workshop.builder.built[0][1] == {"A": "1", "BASE": BASE}
    assert workshop.builder.built[1][1] == {"BASE": BASE, "RUNTIME_IMAGE": made["runtime"]}
    assert made["runtime"].startswith(f"{REGISTRY}/modelops/runtime@sha256:")


def test_the_context_is_the_build_folder_the_named_paths_and_the_programs(root: Path) -> None:
    workshop = Workshop(root)
    workshop.build(only=["runtime"])
    assert workshop.builder.built[0][2] == ("bin/helm", "requirements.lock", "scheduler/errors.py")


def test_a_link_to_a_chart_is_followed(root: Path) -> None:
    (root / "scheduler" / "charts").mkdir()
    (root / "scheduler" / "charts" / "flow").symlink_to("../../charts/subcharts/flow")
    workshop = Workshop(root)
    workshop.build(only=["runtime"])
    assert "scheduler/charts/flow/values.yaml" in workshop.builder.built[0][2]


def test_what_the_registry_has_is_not_built_again(root: Path) -> None:
    workshop = Workshop(root)
    first = workshop.build()
    second = workshop.build()
    assert (first, workshop.built) == (second, ["runtime", "flow"])
    assert workshop.told[-1] == "image 2 of 2: flow is there already"


def test_a_change_rebuilds_the_image_and_those_that_come_after_it(root: Path) -> None:
    workshop = Workshop(root)
    workshop.build()
    _write(root / "scheduler" / "errors.py", "x = 2")
    workshop.build()
    assert workshop.built == ["runtime", "flow", "runtime", "flow"]


def test_a_change_of_a_later_image_rebuilds_that_one_alone(root: Path) -> None:
    workshop = Workshop(root)
    workshop.build()
    _write(root / "charts" / "subcharts" / "flow" / "build" / "requirements.lock", "a==2")
    workshop.build()
    assert workshop.built == ["runtime", "flow", "flow"]


def test_a_missing_base_is_named(root: Path) -> None:
    workshop = Workshop(root)
    workshop.registry.digests.clear()
    with pytest.raises(NotFoundError, match="modelops/base:trixie"):
        workshop.build()


def test_everything_that_a_build_lacks_is_reported_at_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _chart(root, "runtime", {"name": "runtime", "context": ["nothing"], "bootstrap": True})
    (root / "programs" / "helm").unlink()
    monkeypatch.setenv("PATH", str(root))
    with pytest.raises(InvalidInputError) as raised:
        Workshop(root).build()
    assert [problem.message for problem in raised.value.problems] == [
        "runtime: context 'nothing' is not there",
        "runtime: program 'helm' is not there",
    ]


def test_a_failed_build_ends_with_the_builders_words(root: Path) -> None:
    _write(root / "charts" / "subcharts" / "runtime" / "build" / "Containerfile", "RUN FAIL")
    with pytest.raises(ProgramError, match=r"image runtime was not built: .*FAIL"):
        Workshop(root).build()


def test_the_image_of_a_task_is_made_from_the_program_of_its_name(root: Path) -> None:
    folder = root / "charts" / "subcharts" / "engine"
    builds = [{"name": "engine", "task": "compile-engine", "context": ["scheduler"]}]
    _write(folder / "values.yaml", yaml.safe_dump({"builds": builds}))
    _write(root / "programs" / "engine", "#!/bin/sh").chmod(0o700)
    workshop = Workshop(root)
    workshop.build(only=["engine"])
    workshop.build(only=["engine"])
    assert [paths for _, _, paths in workshop.builder.built] == [("engine",)]


def test_a_task_whose_program_is_not_here_is_refused(root: Path) -> None:
    builds = [{"name": "no-such-engine", "task": "compile-engine"}]
    _write(root / "charts" / "subcharts" / "engine" / "values.yaml", yaml.safe_dump({"builds": builds}))
    with pytest.raises(InvalidInputError, match="no program 'no-such-engine' is here"):
        Workshop(root).build(only=["no-such-engine"])
