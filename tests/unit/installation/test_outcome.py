"""What a step leaves behind."""

from __future__ import annotations

import pytest

from scheduler.installation import outcome
from scheduler.installation.outcome import Outcome, State


@pytest.mark.parametrize("letter", ["x", "ü", '"', "\n"])
def test_a_long_message_loses_its_middle_and_keeps_reason_and_remedy(letter: str) -> None:
    text = Outcome(state=State.FAILED, tag="a" * 64, message=f"image a: {letter * 5000} do this").text()

    assert len(text.encode()) <= outcome.MAX_BYTES
    assert len(text.encode()) > outcome.MAX_BYTES / 2
    read = outcome.parse(text)
    assert read is not None
    assert read.message.startswith("image a: ")
    assert read.message.endswith(" do this")


def test_what_was_written_is_read() -> None:
    made = Outcome(state=State.SKIPPED, seconds=3, tag="t", message="m")
    assert outcome.parse(made.text()) == made


@pytest.mark.parametrize("text", ["", "{", "[]", '{"state": "later"}', '{"state": "built", "seconds": "x"}'])
def test_what_is_no_outcome_is_none(text: str) -> None:
    assert outcome.parse(text) is None
