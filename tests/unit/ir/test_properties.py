"""Whatever comes in, the loader answers with an IR, with problems or with a limit, and with nothing else."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scheduler import assets
from scheduler.errors import InvalidInputError, TooLargeError
from scheduler.ir import load, read

UNTIMED = settings(max_examples=100, deadline=None)  # other programs may be busy on the machine

VOCABULARY = """
apiVersion kind metadata name description spec modelops/v1 ScoringPipeline ScoringFlow Model RecordSchema DataChannel
mode batch source sink channel deadLetters maxRatio deadlines run 5m flows steps map filter score model inputs output
onError drop input schema properties required order type number string items format int32 parameters default enum
artifact sha256 outputs direction config volume path csv file env secretRef key value password token a b
"""
WORDS = st.sampled_from(VOCABULARY.split())
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS
VALUES = st.recursive(
    SCALARS,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(WORDS | st.text(max_size=5), below, max_size=6),
    max_leaves=40,
)
EXAMPLE = load.from_folder(
    assets.root() / "ir-schemas" / "examples" / "valid" / "own-channels", fill_digests=True
).documents


@given(st.lists(VALUES | st.dictionaries(WORDS, VALUES, max_size=6), max_size=4))
@UNTIMED
def test_any_documents_are_answered(documents: list[Any]) -> None:
    answered(documents)


@given(st.data())
@UNTIMED
def test_a_right_ir_with_anything_in_one_place_is_answered(data: st.DataObject) -> None:
    documents = json.loads(json.dumps(EXAMPLE))
    holder, key = data.draw(st.sampled_from(places(documents)))
    if data.draw(st.booleans()) and isinstance(holder, dict):
        del holder[key]
    else:
        holder[key] = data.draw(VALUES)

    answered(documents)


@given(st.text(max_size=200) | st.binary(max_size=200), st.sampled_from(["a.yaml", "a.json"]))
@UNTIMED
def test_any_text_is_answered(text: str | bytes, file: str) -> None:
    with suppress(InvalidInputError, TooLargeError):
        load.from_text(text, file=file)


@given(st.dictionaries(st.text(max_size=10), VALUES, max_size=5))
@UNTIMED
def test_json_text_is_read_as_the_standard_library_reads_it(document: dict[str, Any]) -> None:
    text = json.dumps(document, indent=1)
    with suppress(InvalidInputError):  # numbers that are not finite or too big
        (sourced,) = read.parse(text, file="a.json")
        assert sourced.document == json.loads(text)


class Writer(yaml.SafeDumper):
    """Quotes texts that begin like a number: PyYAML writes `0E0` plain, which YAML 1.2 reads as one."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        style = '"' if data[:1] in {*"+-.0123456789"} else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


Writer.add_representer(str, Writer.represent_str)


@given(st.dictionaries(st.text(max_size=10), VALUES, max_size=5))
@UNTIMED
@example({"": "0E0"})
def test_yaml_text_is_read_as_it_was_written(document: dict[str, Any]) -> None:
    text = yaml.dump(document, Dumper=Writer)
    with suppress(InvalidInputError):
        (sourced,) = read.parse(text)
        assert json.dumps(sourced.document, sort_keys=True) == json.dumps(document, sort_keys=True)


@given(st.permutations(EXAMPLE))
@UNTIMED
def test_the_digest_does_not_depend_on_the_order_of_documents(documents: list[Any]) -> None:
    loaded = load.from_documents(documents)

    assert loaded.documents == EXAMPLE


def answered(documents: list[Any]) -> None:
    with suppress(InvalidInputError, TooLargeError):
        loaded = load.from_documents(documents)
        assert load.from_documents(loaded.documents) == loaded


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (holder, key) of a JSON value."""
    found: list[tuple[Any, Any]] = []
    for key, below in value.items() if isinstance(value, dict) else enumerate(value):
        found.append((value, key))
        if isinstance(below, dict | list):
            found += places(below)
    return found
