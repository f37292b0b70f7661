"""The pod's last words."""

from __future__ import annotations

import json

import pytest

from scheduler.model.job import Reason
from scheduler.serving import termination


@pytest.mark.parametrize("message", ["short", "x" * 5000, "é" * 900, '"' * 2000])
def test_last_words_are_json_of_at_most_a_kilobyte(message: str) -> None:
    text = termination.text(reason=Reason.MODEL_CORRUPT, message=message)

    assert len(text.encode()) <= 1024
    words = json.loads(text)
    assert words["reason"] == "ModelCorrupt"
    assert words["message"] == message or (words["message"].endswith("...") and len(text) > 900)
