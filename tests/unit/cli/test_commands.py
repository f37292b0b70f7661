"""Commands are imported when they are asked for, and what the help says without them is what they say themselves."""

from __future__ import annotations

import subprocess
import sys

import pytest

from scheduler.cli import commands


@pytest.mark.parametrize("name", list(commands.SUMMARIES))
def test_a_summary_is_the_first_sentence_of_the_commands_own_help(name: str) -> None:
    own = commands.command(name).get_short_help_str(1000)
    assert own.rstrip(".") == commands.SUMMARIES[name].rstrip(".")


@pytest.mark.parametrize(
    ("words", "unwanted"),
    [
        (["--help"], {"kubernetes", "httpx", "rich.table", "jsonschema", "yaml", "jinja2"}),
        (["version"], {"kubernetes", "httpx", "jsonschema", "jinja2"}),
        (["validate", "--help"], {"kubernetes", "httpx"}),
        (["job", "list", "--help"], {"kubernetes", "jsonschema", "jinja2", "pyhelm3"}),
    ],
)
def test_a_command_imports_only_what_it_uses(words: list[str], unwanted: set[str]) -> None:
    program = (
        "import sys; from scheduler.cli import app; code = app.main(sys.argv[1:]); "
        "print(*sys.modules, file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert not unwanted & set(done.stderr.split())


@pytest.mark.parametrize(
    ("words", "lacking"),
    [(["plan", "ir-schemas/examples/valid/streaming"], "pyhelm3"), (["serve"], "fastapi")],
)
def test_a_package_that_is_not_installed_is_told_with_its_remedy(words: list[str], lacking: str) -> None:
    program = (
        f"import sys; sys.modules['{lacking}'] = None; from scheduler.cli import app; sys.exit(app.main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (4, "")
    assert f"error: this command needs the Python package '{lacking}'" in done.stderr
    assert "pip install '.[cli]'" in " ".join(done.stderr.split())
