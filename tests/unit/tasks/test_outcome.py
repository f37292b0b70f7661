"""Results that fit."""

from __future__ import annotations

import json

import pytest

from scheduler.tasks import outcome


@pytest.mark.parametrize("word", ["x", "ü", "😀", '"', "\n"])
def test_a_long_message_is_cut_so_that_the_whole_fits(word: str) -> None:
    fields = {"outcome": "Failed", "reason": "InstallFailed", "message": word * 5000, "diagnosis": {"a": "b" * 100}}

    text = outcome.text(fields)

    assert 1000 <= len(text.encode()) <= outcome.MAX_BYTES
    assert json.loads(text)["message"].startswith(word * 20)
    assert json.loads(text)["message"].endswith("…")
    assert "diagnosis" not in json.loads(text)


def test_a_diagnosis_goes_before_the_message_is_cut() -> None:
    fields = {"message": "m" * 500, "diagnosis": {"detail": "d" * 600}}

    assert json.loads(outcome.text(fields)) == {"message": "m" * 500}


def test_what_fits_is_left_alone() -> None:
    fields = {"outcome": "Succeeded", "ledger": {"read": 1}, "diagnosis": {"summary": "s"}}

    assert json.loads(outcome.text(fields)) == fields
