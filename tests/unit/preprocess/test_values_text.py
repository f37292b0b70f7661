"""Values as text."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scheduler.preprocess import values_text
from scheduler.preprocess.merge import merge

_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"))
_SCALAR = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), _TEXT)
_VALUES = st.dictionaries(
    _TEXT, st.recursive(_SCALAR, lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner), max_leaves=8)
)


@given(_VALUES)
def test_values_are_read_back_as_they_were(values: dict[str, object]) -> None:
    assert values_text.from_yaml(values_text.to_yaml(values)) == values


def test_the_order_of_keys_and_shared_objects_leave_no_trace() -> None:
    shared = [1, {"b": 2}]

    assert values_text.to_yaml({"x": shared, "a": shared}) == values_text.to_yaml(
        {"a": [1, {"b": 2}], "x": [1, {"b": 2}]}
    )
    assert "&" not in values_text.to_yaml({"x": shared, "a": shared})


@pytest.mark.parametrize(
    "text", ["1e3", "0o17", "0x1F", "on", "Yes", "~", "1_000", "12:30", "", " a", "null", ".5", "="]
)
def test_a_string_that_some_yaml_takes_for_something_else_is_quoted(text: str) -> None:
    assert values_text.to_yaml({"key": text}) == f'key: "{text}"\n'


def test_longer_texts_are_blocks() -> None:
    assert values_text.to_yaml({"engine": "input:\n  file: {}\n"}) == "engine: |\n  input:\n    file: {}\n"


def test_merging_changes_neither_side() -> None:
    base, over = {"a": {"x": 1}, "l": [1]}, {"a": {"y": 2}, "l": [2]}

    assert merge(base, over) == {"a": {"x": 1, "y": 2}, "l": [2]}
    assert (base, over) == ({"a": {"x": 1}, "l": [1]}, {"a": {"y": 2}, "l": [2]})


def test_a_text_with_every_kind_of_line_end_survives() -> None:
    values = {"a": "x\r\ny\u2028z\x85\n\n  indented \n"}

    assert yaml.safe_load(values_text.to_yaml(values)) == values


@given(_VALUES)
def test_the_text_is_what_pyyamls_own_dumper_writes(values: dict[str, object]) -> None:
    assert values_text.to_yaml(values) == yaml.dump(values, Dumper=_Dumper, width=10**6, allow_unicode=True)


class _Dumper(yaml.CSafeDumper):
    """PyYAML's with the styles of strings that Values have."""

    def ignore_aliases(self, data: object) -> bool:
        return True


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style=values_text.style(text)),
)


def test_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match="set has no form in Values"):
        values_text.to_yaml({"key": {1}})
