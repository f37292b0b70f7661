"""Where the servers are is told in time, and what starts a job says one thing."""

from __future__ import annotations

import pytest

from scheduler import assets
from tests.unit.cli.conftest import Run

IR = str(assets.root() / "ir-schemas" / "examples" / "valid" / "own-channels")


@pytest.mark.parametrize("url", ["10.217.0.9:8080", "nonsense", "ftp://x", "http://", "http://[x", "http://x:port"])
@pytest.mark.parametrize(
    ("variable", "command"),
    [("MODELOPS_URL", "job list"), ("MODELOPS_SERVER_URL", "deploy ir-schemas/examples/valid/streaming")],
)
def test_an_address_that_is_none_is_told_with_its_remedy(
    run: Run, monkeypatch: pytest.MonkeyPatch, url: str, variable: str, command: str
) -> None:
    monkeypatch.setenv("MODELOPS_TOKEN", "some")
    monkeypatch.setenv(variable, url)
    done = run(*command.split())
    assert (done.code, done.out) == (3, "")
    assert f"'{url}' is no address of the" in done.err
    assert f"run `modelops login`, or set {variable}" in done.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), ["give exactly one of PIPELINE, --ir and --git"]),
        (("delay", "--ir", IR), ["give exactly one of PIPELINE, --ir and --git"]),
        (("--ir", IR, "--revision", "3"), ["--revision is of a deployed PIPELINE"]),
        (("delay", "--folder", "pipelines"), ["--folder is of a repository, with --git"]),
        (
            ("--ir", IR, "--revision", "3", "--folder", "pipelines"),
            ["--revision is of a deployed PIPELINE", "--folder is of a repository, with --git"],
        ),
    ],
)
def test_an_option_that_would_mean_nothing_is_refused(run: Run, words: tuple[str, ...], says: list[str]) -> None:
    done = run("job", "start", *words, "--environment", "staging")
    assert (done.code, done.out) == (3, "")
    assert [line.strip() for line in done.err.splitlines()[1:]] == says
