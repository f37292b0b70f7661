"""Durations as people write them."""

from __future__ import annotations

import pytest

from scheduler.model import duration


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("50ms", 50), ("1s", 1_000), ("5m", 300_000), ("1h30m", 5_400_000), ("2d", 172_800_000), ("0s", 0)],
)
def test_durations_add_up(text: str, milliseconds: int) -> None:
    assert duration.milliseconds(text) == milliseconds


@pytest.mark.parametrize("text", ["", "5", "5 m", "m", "1.5h", "-5m", "5M", "5m\n", "٣m", "1y", "9999999999s"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a duration is a whole number and its unit"):
        duration.milliseconds(text)


def test_deadlines_are_whole_seconds() -> None:
    assert duration.seconds("1m30s") == 90
    for text in ("500ms", "0s", "1s500ms"):
        with pytest.raises(ValueError, match="a deadline is a whole number of seconds"):
            duration.seconds(text)
