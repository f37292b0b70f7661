"""Values and names as they stand in a message."""

from __future__ import annotations

from scheduler.ir import words


def test_values_are_shown_short_and_on_one_line() -> None:
    shown = [words.shown(value) for value in ("a", "a\nb", "x" * 100, True, None, 1.5, {"a": 1}, [1])]

    assert shown == ["'a'", "'a\\nb'", f"'{'x' * 59}…'", "true", "empty", "1.5", "a mapping", "a list"]


def test_names_that_were_meant_come_first() -> None:
    names = ["carrier", "distance", "dep_delay", "dep_time"]

    assert words.nearest_first("dep_tme", names) == ["dep_time", "dep_delay", "carrier", "distance"]
    assert words.nearest_first(7, names) == names


def test_of_many_names_only_some_are_listed_but_the_nearest_is_among_them() -> None:
    names = [f"name-{number:04}" for number in range(5_000)] + ["threshold"]

    assert words.nearest_first("treshold", ["threshold", *names])[0] == "threshold"
    assert len(words.nearest_first("name-4999x", names)) == 20


def test_long_words_are_not_compared() -> None:
    assert words.close("x" * 61, ["x" * 60]) == []


def test_lists_of_names_read_as_sentences() -> None:
    assert [words.either(names) for names in ("a", "ab", "abc")] == ["'a'", "'a' or 'b'", "'a', 'b' or 'c'"]
