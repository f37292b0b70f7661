"""Text becomes documents whose parts know their lines, or problems that do."""

from __future__ import annotations

import pytest

from scheduler.errors import InvalidInputError
from scheduler.ir import read
from scheduler.ir.source import Sourced


def test_scalars_are_those_of_yaml_1_2() -> None:
    (sourced,) = read.parse(
        "{a: no, b: 2013-01-01, c: 1:30, d: 0x1F, e: 1_000, f: ~, g: true, h: 1.5e3, i: -7, j: '8', k: .5, l: +1.}"
    )

    assert sourced.document == {
        "a": "no",
        "b": "2013-01-01",
        "c": "1:30",
        "d": "0x1F",
        "e": "1_000",
        "f": None,
        "g": True,
        "h": 1500.0,
        "i": -7,
        "j": "8",
        "k": 0.5,
        "l": 1.0,
    }


def test_every_part_knows_its_line() -> None:
    (sourced,) = read.parse(
        "kind: X\nspec:\n  steps:\n    - name: a\n      map: |\n        root = this\n    - b\n", file="f.yaml"
    )

    lines = {
        pointer: sourced.source.locate(pointer)[1]
        for pointer in ("", "/kind", "/spec", "/spec/steps", "/spec/steps/0", "/spec/steps/0/map", "/spec/steps/1")
    }

    assert lines == {
        "": 1,
        "/kind": 1,
        "/spec": 2,
        "/spec/steps": 3,
        "/spec/steps/0": 4,
        "/spec/steps/0/map": 5,
        "/spec/steps/1": 7,
    }


def test_what_is_not_there_has_the_line_of_its_nearest_parent() -> None:
    (sourced,) = read.parse("a: 1\nb:\n  c: [x]\n")

    assert [sourced.source.locate(pointer)[1] for pointer in ("/b/d/e", "/b/c/7", "/b/c/x", "/z")] == [2, 3, 3, 1]


def test_keys_may_hold_what_pointers_escape() -> None:
    (sourced,) = read.parse("a: 1\nb/c~d: 2\n")

    assert sourced.problem("x", pointer="/b~1c~0d").line == 2


def test_an_alias_is_the_very_value_of_its_anchor() -> None:
    (sourced,) = read.parse("a: &x {n: [1, 2]}\nb: *x\nc: &x 3\nd: *x\n&k key: 1\ne: *k\n")

    assert sourced.document == {"a": {"n": [1, 2]}, "b": {"n": [1, 2]}, "c": 3, "d": 3, "key": 1, "e": "key"}


def test_anchors_end_with_their_document() -> None:
    assert problems_of("a: &x 1\n---\nb: *x\n") == ["3 /b: the alias '*x' has no anchor before it"]


@pytest.mark.parametrize("file", ["a.yaml", ""])
def test_one_text_holds_many_documents_and_empty_ones_are_none(file: str) -> None:
    given = read.parse("# nothing\n---\n{a: 1}\n---\n# nothing\n---\nb: 2\n...\n", file=file)

    assert [(each.document, each.position) for each in given] == [({"a": 1}, 0), ({"b": 2}, 1)]


def test_a_list_in_json_holds_many_documents() -> None:
    given = read.parse('[{"a": 1},\n {"b": [true, null]}, null]', file="a.json")

    assert [each.document for each in given] == [{"a": 1}, {"b": [True, None]}]
    assert given[1].problem("x", pointer="/b/0").line == 2


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-0.5e+2", -50.0),
        ("1E2", 100.0),
        (r'"\u00e9\ud83d\ude00\n\/"', "é😀\n/"),
        ("[]", []),
        ("{}", {}),
        ('[[], {"a": {}}, ""]', [[], {"a": {}}, ""]),
        ("9223372036854775807", 9223372036854775807),
    ],
)
def test_json_values_are_read_as_json(text: str, value: object) -> None:
    (sourced,) = read.parse(f'\t{{ "v" :\r\n{text} }} ', file="a.json")

    assert sourced.document == {"v": value}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the text ends too early"),
        ('{"a"', "a ':' is missing after the key"),
        ('{"a": ', "the text ends too early"),
        ('{"a": }', "a value is missing or misspelt here"),
        ('{"a": 1,}', "a key in double quotes is missing here"),
        ("{a: 1}", "a key in double quotes is missing here"),
        ("[1,]", "a value is missing or misspelt here"),
        ("[1 2]", "a ',' or ']' is missing here"),
        ('{"a": 1]', "a ',' or '}' is missing here"),
        ("[01]", "a ',' or ']' is missing here"),
        ("['x']", "a value is missing or misspelt here"),
        ('["x]', "unterminated string starting at"),
        ('["\\x"]', "invalid \\escape"),
        ("{} {}", "more text after the end; several documents go into one list"),
    ],
)
def test_what_is_not_json_is_said_with_its_line(text: str, message: str) -> None:
    (problem,) = problems_of("\n" + text, file="a.json")

    assert problem.startswith("a.json:2: not valid JSON: ")
    assert message in problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: c: d", "2: not valid YAML: a ':' where no key can stand; quote the text if it contains ': '"),
        ("a: 1\nb:\n\t- c", "3: not valid YAML: a tab, or another character that cannot stand here unquoted"),
        ("a: 1\nb: 'c", "2: not valid YAML: a quote is opened and never closed"),
        ("a:\n  - b\n c: d", "3: not valid YAML: the indentation does not fit the lines above, or a key has no ':'"),
        ("a: [1\nb: 2", "2: not valid YAML: a ',' or the closing bracket is missing"),
        ("a: 1\nb: \x07", "2: the text holds a character that YAML does not allow (a control character?)"),
        ("a: !x!y 1", "1: not valid YAML: tags ('!…') are not accepted"),
        ("just text", "1: a document is a mapping with 'kind', 'metadata' and 'spec', not 'just text'"),
        ("- a", "1: a document is a mapping with 'kind', 'metadata' and 'spec', not a list"),
        ("a: 1e999", "1 /a: the number does not fit into 64 bits; quote it if it is text"),
        ("a: -.INF", "1 /a: NaN and infinity are not accepted: the value must be a finite number"),
        ("a: !!str 1", "1 /a: tags ('!…') are not accepted; quote the value if it is text"),
        ("a: !!map {}", "1 /a: tags ('!…') are not accepted; quote the value if it is text"),
        ("a: ! [1]", "1 /a: tags ('!…') are not accepted; quote the value if it is text"),
        ("{a: 1}: 2", "1 /?: a key is text, not a mapping, list or alias"),
        ("null: 2", "1 /empty: a key is text: quote empty"),
    ],
)
def test_what_is_not_accepted_yaml_is_said_with_its_line(text: str, problem: str) -> None:
    assert problems_of(text) == [problem]


def test_faults_that_reading_can_go_on_after_are_all_told() -> None:
    text = "a: 1\na: 2\n3: x\nb: .nan\nc: *q\n---\nd: {e: 1, e: 2}\n--- !!set {}\n"

    assert problems_of(text, file="f.yaml") == [
        "f.yaml:2 /a: the key 'a' stands here twice (first on line 1)",
        "f.yaml:3 /3: a key is text: quote 3",
        "f.yaml:4 /b: NaN and infinity are not accepted: the value must be a finite number",
        "f.yaml:5 /c: the alias '*q' has no anchor before it",
        "f.yaml:7 /d/e: the key 'e' stands here twice (first on line 7)",
        "f.yaml:8: tags ('!…') are not accepted; quote the value if it is text",
    ]


def test_an_unknown_alias_names_the_anchors_there_are() -> None:
    assert problems_of("a: &colour 1\nb: *color") == [
        "2 /b: the alias '*color' has no anchor before it (there is 'colour')"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"a: 1\nb: \xff", "2: the text is not UTF-8"),
        ("a: 1".encode("utf-16"), "1: the text is not UTF-8"),
        ("a: 1\nb: \ud800", "2: the text is not valid Unicode (half of a surrogate pair)"),
    ],
)
def test_text_is_utf_8(text: str | bytes, problem: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        read.parse(text)

    assert [str(each) for each in refused.value.problems] == [problem]


def test_half_a_surrogate_pair_is_told_in_json_too() -> None:
    (problem,) = problems_of('{"a": "\\ud83d"}', file="a.json")

    assert problem == "a.json:1 /a: the text is not valid Unicode (half of a surrogate pair)"


@pytest.mark.parametrize("file", ["a.yaml", "a.json"])
def test_a_byte_order_mark_is_passed_over(file: str) -> None:
    assert documents(read.parse(b'\xef\xbb\xbf{"a": 1}', file=file)) == [{"a": 1}]


def documents(given: tuple[Sourced, ...]) -> list[object]:
    return [each.document for each in given]


def problems_of(text: str, file: str = "") -> list[str]:
    with pytest.raises(InvalidInputError) as refused:
        read.parse(text, file=file)
    return [str(problem) for problem in refused.value.problems]
