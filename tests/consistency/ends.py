"""docs/ends.md, made from the table of ends.

`python -m tests.consistency.ends` writes it anew; a test compares.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from scheduler import assets
from scheduler.cli import exit_codes
from scheduler.model.job import Cleanup, Reason
from scheduler.tekton import diagnosis
from tests.e2e.ends import table
from tests.e2e.ends.end import End, Section

FILE: Final = assets.root() / "docs" / "ends.md"
_HEAD: Final = """<!-- written by `python -m tests.consistency.ends` -->
# Every way a job can end

Each row is a test on a real cluster (`tests/e2e`, mark `end`) that compares state, reason, task, exit code, the whole
diagnosis, the ledger and what is on the volume, and sees that nothing but its record is left in the cluster. `≤ s` is
the time from the order to the job's end that the test allows on two busy cores. The message holds every text of its
column; a word in angle brackets stands for what only the job itself knows.
"""
_JOBS: Final = ("what happens", "state", "reason", "task", "the message says", "records", "result", "exit", "≤ s")
_REFUSED: Final = ("what is asked", "HTTP", "exit", "the answer says")
_LABELS: Final = {"deadLettered": "dead"}


def text() -> str:
    """The whole document."""
    sections = "".join(_section(section) for section in table.SECTIONS)
    return f"{_HEAD}{sections}\n{_remedies()}\n{_codes()}"


def _section(section: Section) -> str:
    jobs = [end for end in section.ends if end.state is not None]
    refused = [end for end in section.ends if end.state is None]
    tables = [
        *([_table(_JOBS, map(_job, jobs))] if jobs else []),
        *([_table(_REFUSED, map(_refusal, refused))] if refused else []),
    ]
    return f"\n## {section.title}\n\n{section.text}\n\n" + "\n".join(tables)


def _job(end: End) -> tuple[str, ...]:
    assert end.state is not None
    cleanup = "" if end.cleanups == (Cleanup.CLEAN,) else ", " + " or ".join(end.cleanups)
    return (
        end.title,
        f"{end.state.value}{cleanup}",
        f"`{end.reason.value}`",
        " or ".join(task or "none" for task in end.tasks) if any(end.tasks) else "",
        _said(end),
        _records(end),
        "published" if end.is_published else "none",
        str(end.exit_code),
        str(end.seconds),
    )


def _refusal(end: End) -> tuple[str, ...]:
    return (end.title, str(end.status), str(end.exit_code), _said(end))


def _said(end: End) -> str:
    texts = (re.sub(r"\{([a-z0-9_]+)\}", lambda found: f"<{found[1].replace('_', ' ')}>", word) for word in end.words)
    return "; ".join(f"`{word.strip()}`" for word in texts)


def _records(end: End) -> str:
    return ", ".join(f"{count:,} {_LABELS.get(term, term)}" for term, count in (end.ledger or {}).items())


def _remedies() -> str:
    """What each reason means, and what to do about it."""
    found = ((reason, diagnosis.of(reason)) for reason in Reason)
    rows = ((f"`{reason.value}`", one.category, one.summary, one.resolution) for reason, one in found if one)
    intro = "A job that did not end well carries this as its `diagnosis`, with the message as its detail.\n\n"
    return f"## Reasons and remedies\n\n{intro}" + _table(("reason", "kind", "what went wrong", "remedy"), rows)


def _codes() -> str:
    rows = ((str(code), meaning) for code, meaning in exit_codes.MEANING.items())
    return "## Exit codes\n\n" + _table(("code", "meaning"), rows)


def _table(head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    FILE.write_text(text())
