"""The ledger: what counts is what was committed, each term has its own counter, and their sums must agree.

`read`, `filtered` and `dropped` are the engine's, each counted where it happens. `written` and `dead_lettered` are
counted here, in the files, after the engine has closed them; of what is checked and written nowhere, the test sink's
own count is taken. The records of the source are counted apart from all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from scheduler.flow import source_count
from scheduler.flow.config import Checked, File
from scheduler.flow.failure import FlowFailedError
from scheduler.model.job import Ledger, Reason


def take(
    engine: Ledger, *, sink: File | Checked, dead_letters: File | Checked | None, counted: Mapping[str, int]
) -> Ledger:
    """The ledger of closed files; `engine` gives the terms that no file holds.

    `counted` is what a test sink has counted, by end (`sink`, `deadLetters`).
    """
    return replace(
        engine,
        written=_lines(sink, counted.get("sink", 0)),
        dead_lettered=0 if dead_letters is None else _lines(dead_letters, counted.get("deadLetters", 0)),
    )


def check(ledger: Ledger, *, engine: Ledger, total: int) -> None:
    """Raise FlowFailedError(AccountingMismatch) unless everything that came in has come out, exactly once."""
    faults: list[str] = []
    if ledger.read != total:
        faults.append(f"{ledger.read} records read of {total} in the source")
    if not ledger.balances:
        faults.append(f"read does not equal its parts: {_spoken(ledger)}")
    if ledger.written != engine.written:
        faults.append(f"{ledger.written} records in the sink of {engine.written} written")
    if ledger.dead_lettered != engine.dead_lettered:
        faults.append(f"{ledger.dead_lettered} dead letters in the file of {engine.dead_lettered} written")
    if faults:
        raise FlowFailedError(Reason.ACCOUNTING_MISMATCH, "; ".join(faults))


def check_dead_letters(count: int, *, total: int, max_ratio: float, first: str, at_least: int = 0) -> None:
    """Raise FlowFailedError(TooManyDeadLetters) when more than `max_ratio` of `total` records are dead letters.

    Fewer records than `at_least` are taken for so many: what a stream has read so far may be few.
    """
    if count and count > max_ratio * max(total, at_least):
        message = (
            f"{count} of {total} records are dead letters, {max_ratio:.4g} of them are allowed; the first: {first}"
        )
        raise FlowFailedError(Reason.TOO_MANY_DEAD_LETTERS, message)


def _lines(end: File | Checked, counted: int) -> int:
    if isinstance(end, Checked):
        return counted
    try:
        return source_count.count(end)
    except FlowFailedError as error:
        raise FlowFailedError(Reason.ACCOUNTING_MISMATCH, f"the result cannot be read back: {error}") from error


def _spoken(ledger: Ledger) -> str:
    out = (
        f"{ledger.written} written, {ledger.dead_lettered} dead letters, "
        f"{ledger.dropped} dropped, {ledger.filtered} filtered"
    )
    return f"{ledger.read} read, {out}"
