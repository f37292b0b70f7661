"""Values and names as they stand in a message."""

from __future__ import annotations

from scheduler.ir import words


def test_values_are_shown_short_and_on_one_line() -> None:
    shown = [words.shown(value) for value in ("a", "a\nb", "x" * 100, True, None, 1.5, {"a": 1}, [1])]

    assert shown == ["'a'", "'a\\nb'", f"'{'x' * 59}…'", "true", "empty", "1.5", "a mapping", "a list"]


def test_lists_of_names_read_as_sentences() -> None:
    assert [words.either(names) for names in ("a", "ab", "abc")] == ["'a'", "'a' or 'b'", "'a', 'b' or 'c'"]
