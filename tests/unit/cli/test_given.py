from pathlib import Path

import pytest

from scheduler.cli import given, orders
from scheduler.errors import InvalidInputError, NotFoundError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.5", 0.5),
        ("3", 3),
        ("true", True),
        ("plain text", "plain text"),
        ('"5"', "5"),
        ("'5'", "'5'"),
        ("yes", "yes"),
        ("1:30", "1:30"),
        ("NaN", "NaN"),
        ("a=b", "a=b"),
        ("2026-01-31", "2026-01-31"),
        ("[1, 2]", "[1, 2]"),
        ("{", "{"),
        ("", ""),
    ],
)
def test_a_parameter_is_a_json_scalar_or_text_and_is_never_more_than_one_value(text: str, value: object) -> None:
    found = given.parameters([f"x={text}"], None)["x"]
    assert (found, type(found)) == (value, type(value))


def test_parameters_of_a_file_give_way(tmp_path: Path) -> None:
    file = tmp_path / "parameters.yaml"
    file.write_text("a: 1\nb: two\nc: yes\n")
    assert given.parameters(["a=3"], file) == {"a": 3, "b": "two", "c": "yes"}


def test_a_file_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "parameters.yaml"
    for text in ("- 1", "a: {b: 1}", "a: ["):
        file.write_text(text)
        with pytest.raises(InvalidInputError):
            given.parameters(None, file)
    with pytest.raises(InvalidInputError, match="none: cannot be read: No such file or directory"):
        given.parameters(None, tmp_path / "none")


def test_what_is_not_found_is_a_problem_among_others_and_alone_an_error_of_its_own() -> None:
    def absent() -> None:
        raise NotFoundError("there is no folder 'a'")

    with pytest.raises(NotFoundError):
        given.together({"ir": absent})
    with pytest.raises(InvalidInputError, match=r"(?s)--set.*there is no folder 'a'"):
        given.together({"sets": lambda: given.texts("--set", ["x"]), "ir": absent})


def test_every_wrong_word_is_told() -> None:
    with pytest.raises(InvalidInputError) as raised:
        given.deadline_texts(["run", "ready=soon", "install=5m"])
    assert [problem.pointer for problem in raised.value.problems] == ["--deadline", "--deadline"]


def test_deadlines_go_to_the_server_as_they_are_and_to_the_plan_in_seconds() -> None:
    assert given.deadline_texts(["run=90m"]) == {"run": "90m"}
    assert given.deadline_seconds(["run=90m"]) == {"run": 5400}


@pytest.mark.parametrize("text", ["{", "[1]", "1"])
def test_a_trigger_is_a_json_object(text: str) -> None:
    with pytest.raises(InvalidInputError, match="--trigger"):
        given.json_object("--trigger", text)


def test_what_is_not_said_is_not_sent() -> None:
    assert orders.wishes() == {}
    assert orders.of_pipeline("delay", None, environment="staging") == {"environment": "staging", "pipeline": "delay"}
    assert orders.of_git("a.git", "main", "", environment="s")["git"] == {"path": "a.git", "ref": "main"}


def test_what_is_wrong_in_several_options_is_told_at_once() -> None:
    with pytest.raises(InvalidInputError) as raised:
        orders.wishes(sets=["a"], deadlines=["run=soon"], labels=["team=ops", "x"], trigger="{")
    assert [problem.pointer for problem in raised.value.problems] == ["--set", "--deadline", "--label", "--trigger"]
