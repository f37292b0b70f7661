"""What a command writes to is looked at before its work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scheduler.cli import app, exit_codes, targets
from scheduler.errors import InvalidInputError
from tests.charts import schemas
from tests.charts.render import PLATFORM


@pytest.mark.parametrize(
    "name",
    [
        "registry.example.com",
        "10.217.0.1:5000",
        "registry.builds.svc:5000",
        "[fd00::1]:5000",
        "[::1]",
        "localhost/team/a_b",
    ],
)
def test_a_registry_is_a_host_with_port_and_path(name: str) -> None:
    targets.check(registries={"--registry": name, "--pull-registry": ""})
    assert not _of_chart(name)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("https://registry.example.com", "such as 'registry.example.com', without 'https://'"),
        ("http://127.0.0.1:5599/", "such as '127.0.0.1:5599', without 'http://'"),
        ("foo bar", "write host[:port][/path], such as 'registry.example.com'"),
        ("registry.example.com/", "write host[:port][/path]"),
        ("registry.example.com:port", "write host[:port][/path]"),
        ("::1", "write host[:port][/path]"),
        ("registry.example.com\n", "write host[:port][/path]"),
    ],
)
def test_what_is_no_registry_is_refused_with_the_remedy(name: str, remedy: str) -> None:
    with pytest.raises(InvalidInputError, match=r"--registry: (?s:.*) is no registry") as refused:
        targets.check(registries={"--registry": name})
    assert remedy in str(refused.value)


@pytest.mark.parametrize("name", ["https://registry.example.com", "foo bar", "registry.example.com/", "a:port"])
def test_the_platforms_chart_refuses_the_same(name: str) -> None:
    assert len(_of_chart(name)) == 2


def test_the_chart_takes_a_platform_without_a_registry() -> None:
    assert not _of_chart("")


def _of_chart(name: str) -> list[str]:
    values = {"global": {"registry": {"push": name, "pull": name}}}
    return [problem for problem in schemas.problems(PLATFORM, values) if problem.startswith("modelops.global.registry")]


def test_every_target_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    files = {"A": tmp_path, "B": tmp_path / "absent" / "x.yaml", "C": tmp_path / "file" / "x", "D": tmp_path / "new"}
    folders = {"E": tmp_path / "file", "F": tmp_path / "file" / "below", "G": tmp_path / "new" / "below", "H": None}

    with pytest.raises(InvalidInputError) as refused:
        targets.check(registries={"R": "a b"}, files=files, folders=folders)

    assert [problem.pointer for problem in refused.value.problems] == ["R", "A", "B", "C", "E", "F"]


def test_what_may_not_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(InvalidInputError, match="may not be written") as refused:
        targets.check(files={"A": tmp_path / "a"}, folders={"B": tmp_path})
    assert len(refused.value.problems) == 2


@pytest.mark.parametrize(
    "words",
    [
        ["images", "build", "--registry", "https://127.0.0.1:1", "--values", "absent/x"],
        ["images", "bootstrap", "https://127.0.0.1:1", "--values", "absent/x"],
        ["bundle", "create", "absent/x", "--release", "modelops", "--registry", "https://127.0.0.1:1"],
        ["bundle", "load", "absent.tar", "https://127.0.0.1:1", "--values", "absent/x"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_command_looks_at_its_targets_before_its_work(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert app.main(words) == exit_codes.of(InvalidInputError([]))
    told = capsys.readouterr().err
    assert "2 problems" in told
    assert "without 'https://'" in told
    assert "there is no folder 'absent'" in told


def test_a_login_that_cannot_be_kept_is_told_before_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MODELOPS_CONFIG", str(tmp_path / "file" / "config.json"))
    words = ["login", "--exec", "false", "--url", "http://127.0.0.1:1", "--server-url", "http://127.0.0.1:1"]
    assert app.main(words) == exit_codes.of(InvalidInputError([]))
    assert "is no folder" in capsys.readouterr().err
