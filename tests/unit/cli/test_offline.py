"""Commands that need neither server nor cluster."""

import json
import os
from pathlib import Path

import pytest
import yaml

import scheduler
from scheduler.cli import exit_codes, offline
from scheduler.cli.offline import Wish
from scheduler.errors import InvalidInputError, ProgramError, UnavailableError
from scheduler.helm.fake import FakeHelm
from scheduler.helm.pyhelm import HelmProgram
from scheduler.ir import load
from scheduler.lint.bento import BentoLint
from scheduler.lint.fake import FakeLint
from scheduler.model.problem import Problem
from tests import programs
from tests.charts import render
from tests.unit import world
from tests.unit.cli.conftest import Run

EXAMPLES = Path(__file__).parents[3] / "ir-schemas" / "examples" / "valid"
VALID = sorted(EXAMPLES.iterdir())
CHANNELS = sorted((EXAMPLES.parent / "channels").iterdir())
OWN = EXAMPLES / "own-channels"
WISH = Wish(ir=offline.loaded(OWN), environment="staging", parameters={"day": "2026-01-31"})


class NoHelm(FakeHelm):
    def version(self) -> str:
        raise ProgramError("cannot start helm: No such file or directory")


class NoLint(FakeLint):
    def check(self, engine: str) -> tuple[Problem, ...]:
        raise UnavailableError("flows cannot be linted: no program 'bento'")


def test_a_plan_has_values_objects_and_totals() -> None:
    made = offline.plan(WISH, helm=FakeHelm(render=world.rendered), lint=FakeLint())
    assert made.is_complete
    assert made.resolved.values["global"]["job"]["environment"] == "staging"
    assert made.totals is not None
    assert made.totals.pods == len(made.objects or ())
    assert made.totals.pods >= 2


@pytest.mark.helm
def test_the_charts_take_the_values_of_a_plan() -> None:
    made = offline.plan(WISH, helm=HelmProgram(executable=programs.helm()), lint=FakeLint())
    kinds = {item["kind"] for item in made.objects or ()}
    assert {"ConfigMap", "Deployment", "Job", "NetworkPolicy", "Service"} <= kinds <= render.job_kinds()


def test_the_same_wish_gives_the_same_plan_to_the_byte() -> None:
    texts = {offline.plan(WISH, helm=NoHelm(), lint=NoLint()).resolved.values_text for _ in range(2)}
    assert len(texts) == 1


def test_what_could_not_be_done_is_said() -> None:
    made = offline.plan(WISH, helm=NoHelm(), lint=NoLint())
    assert (made.objects, made.totals, made.is_complete) == (None, None, False)
    assert [note.split(":")[0] for note in made.notes[:2]] == [offline.NOT_LINTED, offline.NOT_RENDERED]


def test_a_flow_that_the_engine_refuses_is_a_problem() -> None:
    with pytest.raises(InvalidInputError, match="the stream engine refuses"):
        offline.plan(WISH, helm=NoHelm(), lint=FakeLint(refused={"input": "no inputs today"}))


@pytest.mark.parametrize("folder", VALID, ids=lambda folder: folder.name)
def test_every_example_is_planned_with_the_channels_of_the_examples(folder: Path) -> None:
    made = offline.plan(_example(folder), helm=FakeHelm(render=world.rendered), lint=FakeLint())
    assert made.is_complete


@pytest.mark.helm
@pytest.mark.bento
@pytest.mark.parametrize("folder", VALID, ids=lambda folder: folder.name)
def test_charts_and_engine_take_every_example(folder: Path) -> None:
    helm, lint = HelmProgram(executable=programs.helm()), BentoLint(programs.bento())
    made = offline.plan(_example(folder), helm=helm, lint=lint)
    assert made.is_complete


def test_no_channel_of_the_examples_is_there_for_nothing() -> None:
    used: set[str] = set()
    for folder in VALID:
        pipeline = load.from_folder(folder, fill_digests=True).pipeline
        letters = [pipeline.dead_letters.channel] if pipeline.dead_letters else []
        used |= {pipeline.source.channel, pipeline.sink.channel, *letters} - {one.name for one in pipeline.channels}
    assert {file.stem for file in CHANNELS} == used


def _example(folder: Path) -> Wish:
    """With all channels of the examples, and a value for each parameter that has no default."""
    declared = load.from_folder(folder, fill_digests=True).pipeline.parameters
    parameters = {one.name: "2024-05-01" for one in declared if one.default is None}
    registry = offline.registry(CHANNELS)
    return Wish(ir=offline.loaded(folder), environment="staging", registry=registry, parameters=parameters)


def test_a_channel_that_nobody_has_is_named() -> None:
    wish = Wish(ir=offline.loaded(EXAMPLES / "flight-delay"), environment="staging")
    with pytest.raises(InvalidInputError, match="no data channel is named 'flights'"):
        offline.plan(wish, helm=NoHelm(), lint=NoLint())


def test_every_file_that_is_not_there_is_named_and_so_is_a_wrong_environment(run: Run) -> None:
    words = ["--channels", "absent1", "--channels", "absent2", "--parameters", "absent3", "-e", "Foo_Bar"]
    result = run("plan", "absent4", *words, "--deadline", "soon")
    assert result.code == 3
    assert all(f"absent{number}" in result.err for number in range(1, 5))
    assert "'Foo_Bar' cannot name an environment" in result.err
    assert "'soon' is not NAME=VALUE" in result.err
    assert "6 problems" in result.err


def test_a_start_is_told_all_that_is_wrong_with_it(run: Run) -> None:
    result = run("job", "start", "--revision", "1", "-e", "Foo_Bar", "--set", "x", "--ir", "absent")
    assert result.code == 3
    for words in ("Foo_Bar", "--revision is of", "--set: 'x' is not NAME=VALUE", "'absent'"):
        assert words in result.err
    assert "4 problems" in result.err


def test_of_a_required_parameter_only_its_absence_is_told(run: Run) -> None:
    result = run("plan", str(OWN))
    assert result.code == 3
    (told,) = [line for line in result.err.splitlines() if line.startswith("  ")]
    assert "parameter 'day' has no default; the job must set it" in told


def test_a_place_without_any_file_of_an_ir_is_told_as_that(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    result = run("validate", str(tmp_path))
    assert (result.code, "has no file of an IR (*.yaml, *.yml, *.json)" in result.err) == (4, True)
    os.mkfifo(tmp_path / "fifo.yaml")
    for path in (tmp_path / "fifo.yaml", Path("/dev/null")):
        result = run("validate", str(path))
        assert (result.code, "is neither a folder nor a regular file" in result.err) == (4, True)


def test_validate_says_what_is_right(run: Run) -> None:
    result = run("validate", str(OWN))
    assert (result.code, result.err) == (0, "")
    assert "no problems" in result.out


def test_validate_says_all_that_is_wrong(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ir.yaml").write_text(
        (OWN / "ir.yaml").read_text().replace("mode: batch", "mode: request-response\n  colour: red")
    )
    result = run("validate", str(tmp_path))
    assert (result.code, result.out) == (3, "")
    assert "request-response" in result.err
    assert "colour" in result.err
    assert "ir.yaml:" in result.err
    again = run("validate", str(tmp_path), "-o", "json")
    assert again.code == 3
    assert len(json.loads(again.out)["problems"]) >= 2


def test_validate_for_programs(run: Run) -> None:
    found = yaml.safe_load(run("validate", str(OWN), "-o", "yaml").out)
    assert (found["pipeline"], found["problems"]) == (world.PIPELINE, [])


def test_a_plan_without_programs_has_its_own_exit_code(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/does/not/exist")
    monkeypatch.delenv("MODELOPS_HELM", raising=False)
    monkeypatch.delenv("MODELOPS_BENTO", raising=False)
    result = run("plan", str(OWN), "--set", "day=2026-01-31")
    assert result.code == exit_codes.INCOMPLETE
    assert "NOT RENDERED" in result.out
    assert "note: NOT LINTED" in result.err
    found = json.loads(run("plan", str(OWN), "--set", "day=2026-01-31", "-o", "json").out)
    assert found["objects"] is None
    assert found["flows"][0]["engine"]


def test_version_help_and_wrong_words(run: Run) -> None:
    assert run("version").out == f"modelops {scheduler.__version__}\n"
    assert json.loads(run("version", "-o", "json").out)["version"] == scheduler.__version__
    help_ = run("--help")
    assert help_.code == 0
    assert all(str(code) in help_.out for code in exit_codes.MEANING)
    assert run("nonsense").code == exit_codes.USAGE
    assert run("plan").code == exit_codes.USAGE
    assert run("plan", str(OWN), "-o", "xml").code == exit_codes.USAGE


def test_a_folder_that_is_not_there_is_named(run: Run) -> None:
    result = run("validate", "/does/not/exist")
    assert (result.code, "/does/not/exist" in result.err) == (4, True)


def test_images_are_listed_in_build_order(run: Run) -> None:
    found = [item["name"] for item in json.loads(run("images", "list", "-o", "json").out)]
    assert {"container-tools", "scheduling-server", "streaming-runtime", "scoring-server-pmml"} <= set(found)
    assert "scheduling-server" in run("images", "list").out
