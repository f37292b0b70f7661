"""Names that were probably meant."""

from __future__ import annotations

from scheduler.model import alike


def test_names_that_were_meant_come_first() -> None:
    names = ["carrier", "distance", "dep_delay", "dep_time"]

    assert alike.nearest_first("dep_tme", names) == ["dep_time", "dep_delay", "carrier", "distance"]
    assert alike.nearest_first(7, names) == names


def test_of_many_names_only_some_are_listed_but_the_nearest_is_among_them() -> None:
    names = [f"name-{number:04}" for number in range(5_000)] + ["threshold"]

    assert alike.nearest_first("treshold", ["threshold", *names])[0] == "threshold"
    assert len(alike.nearest_first("name-4999x", names)) == 20


def test_long_words_are_not_compared() -> None:
    assert alike.close("x" * 61, ["x" * 60]) == []
