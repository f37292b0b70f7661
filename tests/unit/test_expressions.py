"""Expressions in texts: what they give, what they refuse, and that no value becomes code."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler import expressions, literals
from scheduler.errors import InvalidInputError
from scheduler.preprocess import globals_
from scheduler.settings import Globals

SCOPE: expressions.Scope = {
    "parameters": {"threshold": 0.5, "carrier": "AA", "max-ratio": 3, "strict": True, "none": None, "big": 10**17},
    "globals": {"logLevel": "info"},
}


def messages(text: str, *, bloblang: bool = False) -> list[str]:
    """What applying the text is refused with."""
    try:
        (expressions.apply_bloblang if bloblang else expressions.apply_text)(text, SCOPE)
    except InvalidInputError as error:
        return [str(problem) for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ parameters.threshold }}", 0.5),
        ("{{parameters['max-ratio']}}", 3),
        ("{{ parameters.strict }}", True),
        ("{{ parameters.none }}", None),
        ("{{ parameters.threshold * 2 + 1 }}", 2.0),
        ("{{ 'a' if parameters.strict else 'b' }}", "a"),
        ("{{ parameters.carrier | lower }}", "aa"),
        ("{{ parameters.carrier in ['AA', 'UA'] }}", True),
        ("no expression", "no expression"),
    ],
)
def test_a_text_that_is_one_expression_keeps_the_values_type(text: str, value: object) -> None:
    applied = expressions.apply_text(text, SCOPE)

    assert (applied, type(applied)) == (value, type(value))


def test_a_longer_text_stays_a_text() -> None:
    text = "flights-{{ parameters.carrier }}-{{ parameters.threshold }}-{{ parameters.strict }}.csv\n"

    assert expressions.apply_text(text, SCOPE) == "flights-AA-0.5-true.csv\n"


def test_null_has_no_place_in_a_longer_text() -> None:
    assert messages("a{{ parameters.none }}") == [
        "an expression has no value (null), which cannot stand inside a longer text"
    ]


def test_every_unknown_name_is_a_problem_even_where_it_is_not_reached() -> None:
    found = expressions.check("{{ 1 if true else parameters.treshold }} {{ limit }}", SCOPE, bloblang=False)

    assert [(problem.message, problem.candidates[0]) for problem in found] == [
        ("no parameter is named 'treshold'", "parameters.threshold"),
        ("'limit' names no value here", "parameters.big"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{% for a in b %}", "statements"),
        ("{# note #}", "comments"),
        ("{{ 'a' * 1000000000 }}", "'*' takes two numbers"),
        ("{{ '%1000000000d' % 1 }}", "'%' takes two numbers"),
        ("{{ 9 ** 9 ** 9 }}", "'**' cannot be used"),
        ("{{ range(9) }}", "a call cannot be used"),
        ("{{ parameters.carrier.upper() }}", "a call cannot be used"),
        ("{{ parameters.carrier.__class__ }}", "written out"),
        ("{{ parameters.carrier[0:1] }}", "written out"),
        ("{{ parameters[parameters.carrier] }}", "written out"),
        ("{{ 0.5 | round(999999999) }}", "at most 15"),
        ("{{ 5 | round(-999999999) }}", "written out"),
        ("{{ 'a' | replace('a', 'aa') }}", "the filter 'replace' cannot be used"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ [1] }}", "not a list"),
        ("{{ 1 + }}", "line 1 of the text"),
        ("{{ " + "(" * 20_000 + "1" + ")" * 20_000 + " }}", "nested too deep"),
        ("{{ " + "+".join(["1"] * 300) + " }}", "more than 200 parts"),
        ("{{ parameters.carrier }}" + "x" * 70_000, "at most 65536 characters"),
    ],
)
def test_what_is_no_bounded_expression_is_refused(text: str, words: str) -> None:
    started = time.monotonic()
    found = messages(text)

    assert len(found) == 1
    assert words in found[0]
    assert time.monotonic() - started < 2


def test_a_text_cannot_grow_beyond_its_limit() -> None:
    scope = {"parameters": {"p": "x" * 4096}}

    with pytest.raises(InvalidInputError, match="longer than 262144 characters"):
        expressions.apply_text("{{ parameters.p }}" * 3000, scope)


def test_in_bloblang_every_value_is_a_literal() -> None:
    text = "root = this\nroot.late = this.p >= {{ parameters.threshold }}\nroot.c = {{ parameters.carrier }}\n"

    assert expressions.apply_bloblang(text, SCOPE) == ('root = this\nroot.late = this.p >= 0.5\nroot.c = "AA"\n')


def test_a_value_cannot_become_code() -> None:
    attack = '" + env("HOME") + "${SECRET} \n root = deleted() # '
    applied = expressions.apply_bloblang("root.c = {{ parameters.p }}", {"parameters": {"p": attack}})

    written = applied.removeprefix("root.c = ")
    assert json.loads(written) == attack
    assert "${" not in written
    assert "\n" not in written


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('root = "a {{ parameters.carrier }}"', "inside a string"),
        ('root = """a\n{{ parameters.carrier }}"""', "inside a string"),
        ('root = "a\\"{{ parameters.carrier }}"', "inside a string"),
        ('root = "a\n{{ parameters.carrier }}"', "inside a string"),
        ("root = this.a{{ parameters.big }}", "glued to the word before"),
        ("root = {{ parameters.big }}a", "glued to the word after"),
    ],
)
def test_an_expression_stands_for_a_whole_value_in_bloblang(text: str, words: str) -> None:
    found = messages(text, bloblang=True)

    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize(
    "text",
    [
        'root = "a" + {{ parameters.carrier }}',
        'root = """a "quoted" b""" + {{ parameters.carrier }}',
        'root = "a \\\\" + {{ parameters.carrier }}',
        "root = this # it's {{ parameters.carrier }} \"\nroot.a = {{ parameters.carrier }}",
        'root = this."{{x"'.replace("{{x", "x") + ".or({{ parameters.carrier }})",
    ],
)
def test_an_expression_beside_strings_and_comments_is_fine(text: str) -> None:
    assert messages(text, bloblang=True) == []
    assert '"AA"' in expressions.apply_bloblang(text, SCOPE)


def test_an_integer_beyond_64_bits_has_no_literal() -> None:
    assert "64 bits" in messages("{{ parameters.big * parameters.big }}", bloblang=True)[0]


def test_problems_say_where() -> None:
    with pytest.raises(InvalidInputError) as refused:
        expressions.apply_bloblang("{{ a }}", SCOPE, document="ScoringFlow/f", pointer="/spec/steps/0/map")

    found = refused.value.problems
    assert (found[0].document, found[0].pointer) == ("ScoringFlow/f", "/spec/steps/0/map")


def test_what_is_wrong_without_any_value_is_found_without_values() -> None:
    names: expressions.Names = {"parameters": {"carrier"}, "globals": None}
    text = """root.a = {{ parameters.carier }} + {{ parameters.carier }} + {{ globals.any / 0 }} + "{{ 1 }}" """

    found = expressions.check(text, names, bloblang=True)

    assert [str(problem) for problem in found] == [
        "no parameter is named 'carier' (there is 'parameters.carrier')",
        'an expression stands inside a string; write the string as `"…" + {{ … }}` instead',
    ]


def test_the_globals_that_a_text_may_name_are_those_that_have_a_value() -> None:
    assert tuple(globals_.scope(Globals())) == expressions.GLOBALS


@given(
    st.one_of(
        st.text(st.characters(codec="utf-8")),
        st.floats(allow_nan=False, allow_infinity=False),
        st.integers(-(2**63), 2**63 - 1),
    )
)
def test_any_value_is_read_back_from_its_literal(value: str | float) -> None:
    written = literals.bloblang(value)

    assert json.loads(written) == value
    assert "\n" not in written
    assert "${" not in written
    assert not (isinstance(value, float) and "e" in written)


def test_half_a_character_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogate"):
        literals.bloblang("\ud800")
