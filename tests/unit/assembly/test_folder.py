"""One chart folder and one dependency entry: the rest follows."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from scheduler import assets
from scheduler.assembly import __main__ as program
from scheduler.assembly import folder
from scheduler.errors import InvalidInputError
from scheduler.jobs import scoring_servers

NAME = "scoring-server-mine"


@pytest.fixture
def charts(tmp_path: Path) -> Path:
    """A copy of the project's charts, links kept."""
    return Path(shutil.copytree(assets.charts(), tmp_path / "charts", symlinks=True))


def add(charts: Path, *, chart: dict[str, Any] | None = None, entry: dict[str, str] | None = None) -> None:
    """A scoring server of one's own, as small as one can be."""
    own = charts / "subcharts" / NAME
    (own / "templates").mkdir(parents=True)
    faces = {"annotations": {"modelops.dev/faces": "builds,job"}}
    beside = {"dependencies": [{"name": "common", "version": "0.1.0", "repository": "file://../common"}]}
    described = {"apiVersion": "v2", "name": NAME, "version": "0.1.0", **faces, **beside, **(chart or {})}
    (own / "Chart.yaml").write_text(yaml.safe_dump(described))
    builds = [{"name": NAME, "containerfile": "build/Containerfile"}]
    (own / "values.yaml").write_text(yaml.safe_dump({"supportedModels": ["mine"], "builds": builds}))
    (own / "values.schema.json").write_text("{}")
    (own / "templates" / "_validate.tpl").write_text(f'{{{{- define "{NAME}.complaints" -}}}}{{{{- end -}}}}')
    platform = charts / "modelops" / "Chart.yaml"
    wanted = {"name": NAME, "version": "0.1.0", "repository": f"file://../subcharts/{NAME}", **(entry or {})}
    platform.write_text(platform.read_text() + f"  - {wanted}\n")


def test_the_committed_chart_is_what_the_sub_charts_say() -> None:
    assert folder.stale(assets.charts()) == (), "run `python -m scheduler.assembly`"


def test_a_chart_that_was_added_is_part_of_the_jobs_chart(charts: Path) -> None:
    add(charts)

    written = folder.assemble(charts)

    assert set(written) == {
        "subcharts/scoring-pipeline/Chart.yaml",
        "subcharts/scoring-pipeline/values.yaml",
        "subcharts/scoring-pipeline/values.schema.json",
        f"subcharts/scoring-pipeline/charts/{NAME}",
        f"modelops/charts/{NAME}",
        "modelops/files/sub-charts.yaml",
        f"subcharts/{NAME}/charts/common",
    }
    assert folder.stale(charts) == folder.assemble(charts) == ()
    servers = {server.chart: server.types for server in scoring_servers.installed(charts / "subcharts")}
    assert servers[NAME] == ("mine",)
    assert NAME in yaml.safe_load((charts / "modelops" / "files" / "sub-charts.yaml").read_text())
    for link in ("subcharts/scoring-pipeline/charts", "modelops/charts"):
        assert (charts / link / NAME).resolve() == charts / "subcharts" / NAME


def test_a_chart_that_no_entry_names_is_no_part_of_it(charts: Path) -> None:
    add(charts)
    shutil.copy(assets.charts() / "modelops" / "Chart.yaml", charts / "modelops" / "Chart.yaml")

    assert folder.assemble(charts) == ()
    assert NAME not in {server.chart for server in scoring_servers.installed(charts / "subcharts")}


@pytest.mark.parametrize(
    ("chart", "entry", "message"),
    [
        ({"annotations": {}}, {}, "a chart with supportedModels is for jobs"),
        ({"annotations": {"modelops.dev/faces": "build,job"}}, {}, "'build' is no face of a chart"),
        ({"name": "else"}, {}, f"the chart is named 'else', its folder '{NAME}'"),
        ({}, {"repository": "oci://registry.example.com/charts"}, "must be a folder in charts/subcharts"),
        ({}, {"alias": "second"}, "and no alias"),
        ({}, {"name": "absent", "repository": "file://../subcharts/absent"}, "there is no folder charts/subcharts/abs"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_written(
    charts: Path, chart: dict[str, Any], entry: dict[str, str], message: str
) -> None:
    add(charts, chart=chart, entry=entry)
    before = (charts / "subcharts" / "scoring-pipeline" / "Chart.yaml").read_bytes()

    with pytest.raises(InvalidInputError) as refused:
        folder.assemble(charts)

    assert any(message in str(problem) for problem in refused.value.problems)
    assert (charts / "subcharts" / "scoring-pipeline" / "Chart.yaml").read_bytes() == before


def test_a_chart_without_a_schema_is_refused(charts: Path) -> None:
    add(charts)
    (charts / "subcharts" / NAME / "values.schema.json").unlink()

    with pytest.raises(InvalidInputError, match=rf"{NAME}/values\.schema\.json.*is not there"):
        folder.assemble(charts)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("supportedModels: [mine]", f"{NAME}/values.yaml /builds: none is named '{NAME}'"),
        ("supportedModels: [mine]\nbuilds: [{name: other, containerfile: x}]", f"/builds: none is named '{NAME}'"),
        ("builds: [{name: a, containerfle: x}]", f"{NAME}/values.yaml /builds/0/containerfle: there is no key"),
        ("builds: [{name: a, containerfile: x, after: [b]}]", "'a' comes after 'b', which nothing builds"),
        ("builds: [{name: bento, containerfile: x}]", "image 'bento' is built more than once"),
        ("builds: [", f"{NAME}/values.yaml: cannot be read: while parsing"),
        ("text", f"{NAME}/values.yaml: must be a mapping"),
    ],
)
def test_values_that_do_not_fit_are_refused(
    charts: Path, capsys: pytest.CaptureFixture[str], values: str, message: str
) -> None:
    add(charts)
    (charts / "subcharts" / NAME / "values.yaml").write_text(values)

    assert program.main(["--charts", str(charts)]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(("document", "name"), [("modelops", "modelops"), (NAME, f"subcharts/{NAME}")])
def test_a_chart_that_cannot_be_read_is_named(charts: Path, document: str, name: str) -> None:
    add(charts)
    (charts / name / "Chart.yaml").write_text("name: [")

    with pytest.raises(InvalidInputError, match=rf"{document}/Chart\.yaml: cannot be read"):
        folder.assemble(charts)


def test_a_chart_without_the_template_of_its_complaints_is_refused_with_all_else(charts: Path) -> None:
    add(charts, chart={"annotations": {}})
    own = charts / "subcharts" / NAME
    (own / "templates" / "_validate.tpl").unlink()
    (own / "values.schema.json").unlink()
    (own / "values.yaml").write_text("supportedModels: [mine]\nbuilds: [{name: A}]")

    with pytest.raises(InvalidInputError) as refused:
        folder.assemble(charts)

    assert [str(problem).split(": ")[0] for problem in refused.value.problems] == [
        f"{NAME}/values.schema.json",
        f"{NAME}/templates",
        f"{NAME}/values.yaml /builds/0/name",
        f"{NAME}/values.yaml /builds/0/containerfile",
        f"{NAME}/Chart.yaml /annotations",
    ]


def test_the_program_tells_what_is_stale_and_writes_it(charts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add(charts)
    place = ["--charts", str(charts)]

    assert program.main([*place, "--check"]) == 1
    assert "stale: subcharts/scoring-pipeline/Chart.yaml" in capsys.readouterr().err
    assert program.main(place) == 0
    assert program.main([*place, "--check"]) == 0


def test_the_program_tells_what_is_wrong(charts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add(charts, chart={"annotations": {}})

    assert program.main(["--charts", str(charts)]) == 1
    assert "supportedModels" in capsys.readouterr().err
