"""The schemas of the IR are closed and described, and say the same as code, README and each other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
import pytest

from scheduler import assets, names
from scheduler.ir import build, not_built, references, schema, schema_table, schema_words
from scheduler.ir.source import Sourced
from scheduler.jobs import scoring_servers
from scheduler.model import duration
from scheduler.model.pipeline import Batch, DeadLetters, Deadlines, FieldType, OnError

KINDS = sorted(schema.FILES)
ANNOTATIONS = {"$schema", "$id", "$defs", "$ref", "title", "description", "examples", "default", "x-words"}
APPLICATORS = {"properties", "items", "propertyNames", "allOf", "if", "then", "else"}


def test_every_file_is_the_schema_of_a_kind() -> None:
    files = {path.name for path in assets.ir_schemas().iterdir()}

    assert files == set(schema.FILES.values())
    assert {kind: schema.of_kind(kind)["title"] for kind in KINDS} == {kind: kind for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_schemas_are_schemas(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema.of_kind(kind))
    assert schema.of_kind(kind)["$id"].endswith(f"/ir-schemas/v1/{schema.FILES[kind]}")


@pytest.mark.parametrize("kind", KINDS)
def test_every_object_is_closed_and_requires_only_what_it_knows(kind: str) -> None:
    for where, part in parts(schema.of_kind(kind)):
        if part.get("type") == "object" and not where.endswith("/<schema of values>"):
            assert "additionalProperties" in part, where
            assert part["additionalProperties"] is False or "$ref" in part["additionalProperties"], where
            if part["additionalProperties"] is False:
                assert set(part.get("required", ())) <= set(part["properties"]), where


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_has_a_description_and_an_example_that_fits(kind: str) -> None:
    whole = schema.of_kind(kind)
    for where, part in parts(whole):
        if where.endswith("/items") and "$ref" in part:
            continue  # described where it is defined
        assert part.get("description"), where
        assert part.get("examples"), where
        validator = jsonschema.Draft202012Validator({**part, "$defs": whole["$defs"]})
        for value in (*part["examples"], *([part["default"]] if "default" in part else [])):
            assert validator.is_valid(value), f"{where}: {value}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_pattern_has_words_for_the_reader(kind: str) -> None:
    for where, part in parts(schema.of_kind(kind)):
        assert ("pattern" in part) == ("x-words" in part), where


@pytest.mark.parametrize("kind", KINDS)
def test_every_keyword_has_words_for_the_reader(kind: str) -> None:
    used = set(keywords(schema.of_kind(kind)))

    assert used <= ANNOTATIONS | APPLICATORS | schema_words.KEYWORDS.keys()


def test_no_keyword_has_words_for_nothing() -> None:
    used = {keyword for kind in KINDS for keyword in keywords(schema.of_kind(kind))}

    assert schema_words.KEYWORDS.keys() <= used


def test_definitions_of_one_name_are_one() -> None:
    found: dict[str, str] = {}
    for kind in KINDS:
        for name, definition in schema.of_kind(kind)["$defs"].items():
            text = json.dumps(definition, sort_keys=True)
            assert found.setdefault(name, text) == text, f"{kind}: {name}"


def test_what_is_built_is_what_the_schemas_accept() -> None:
    for kind, choices in not_built.WORDS.items():
        for word in choices:
            part: Mapping[str, Any] = schema.of_kind(kind)
            for key in word.path:
                part = part["properties"][key]
            assert tuple(part["enum"]) == word.built, f"{kind}: {word.noun}"
            assert not set(word.built) & set(word.later)
    written = schema.of_kind("Model")["properties"]["spec"]["properties"]["type"]
    assert tuple(written["examples"]) == not_built.MODEL_TYPES
    assert all(f"`{name}`" in written["description"] for name in not_built.MODEL_TYPES)
    assert set(scoring_servers.model_types()) == set(not_built.MODEL_TYPES)
    assert not set(not_built.MODEL_TYPES) & set(not_built.MODEL_TYPES_LATER)
    step = schema.of_kind("ScoringFlow")["$defs"]["step"]
    assert tuple(branch["required"][0] for branch in step["oneOf"]) == not_built.STEPS_BUILT
    assert not set(step["properties"]) & set(not_built.STEPS_LATER)


def test_schemas_and_code_agree_on_names_types_and_defaults() -> None:
    pipeline = schema.of_kind("ScoringPipeline")
    spec = pipeline["properties"]["spec"]["properties"]
    flow = schema.of_kind("ScoringFlow")["$defs"]["step"]["properties"]
    batch = flow["score"]["properties"]["batch"]["properties"]
    deadlines = {
        f"{phase}_seconds": duration.seconds(given["default"])
        for phase, given in spec["deadlines"]["properties"].items()
    }

    assert Deadlines(**deadlines) == Deadlines()
    assert spec["deadLetters"]["properties"]["maxRatio"]["default"] == DeadLetters(channel="x").max_ratio
    assert flow["onError"]["enum"] == [each.value for each in OnError]
    assert flow["onError"]["default"] == OnError.DEAD_LETTER.value
    assert (batch["count"]["default"], duration.milliseconds(batch["period"]["default"])) == (
        Batch().count,
        Batch().period_milliseconds,
    )
    assert schema.of_kind("Model")["properties"]["apiVersion"]["const"] == "modelops/v1"


@pytest.mark.parametrize("text", ["a", "a-b", "a" * 40, "a" * 41, "", "A", "1a", "-a", "a-", "a_b", "a\n", "ä"])
def test_names_are_those_of_the_module_of_names(text: str) -> None:
    document = {"kind": "Model", "metadata": {"name": text}}
    is_refused = refuses(document, "/metadata/name")

    assert is_refused == (not names.is_name(text))


@pytest.mark.parametrize("text", ["5m", "1h30m", "5", "m", "5m\n", "1.5h", "9999999999s", "٣m"])
def test_durations_are_those_of_the_module_of_durations(text: str) -> None:
    is_refused = refuses({"kind": "ScoringPipeline", "spec": {"deadlines": {"run": text}}}, "/spec/deadlines/run")

    try:
        duration.milliseconds(text)
    except ValueError:
        assert is_refused
    else:
        assert not is_refused


def refuses(document: dict[str, Any], pointer: str) -> bool:
    return pointer in {problem.pointer for problem in schema.check(Sourced(document=document)).problems}


def test_every_type_of_field_can_be_written() -> None:
    given = schema.of_kind("RecordSchema")["$defs"]["type"]["properties"]
    pairs = {(kind, form) for kind in given["type"]["enum"] for form in (None, *given["format"]["enum"])}
    whole = schema.of_kind("RecordSchema")
    validator = jsonschema.Draft202012Validator({**whole["$defs"]["type"], "$defs": whole["$defs"]})

    def is_accepted(kind: str, form: str | None) -> bool:
        extra = {"format": form} if form else {}
        return validator.is_valid({"type": kind, **extra, **({"items": {"type": "string"}} if kind == "array" else {})})

    assert {pair for pair in pairs if is_accepted(*pair)} == set(build.TYPES)
    assert set(build.TYPES.values()) == set(FieldType)


def test_every_place_that_names_a_document_exists() -> None:
    for tables in (references.REFERENCES, references.UNIQUE):
        for kind, places in tables.items():
            for path, _ in places:
                assert_place(kind, path)


def assert_place(kind: str, path: str) -> None:
    whole = schema.of_kind(kind)
    part: Mapping[str, Any] = whole
    for key in path.split("/")[1:]:
        part = whole["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
        part = part["items"] if key == "*" else part["properties"][key]


def test_the_readme_is_what_the_schemas_say() -> None:
    readme = (assets.root() / "ir-schemas" / "README.md").read_text(encoding="utf-8")

    assert schema_table.updated(readme) == readme, "run `python -m scheduler.ir.schema_table`"


def parts(whole: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every schema of a value of a document, with where it stands."""
    yield from _parts(whole, "")
    for name, definition in whole["$defs"].items():
        yield from _parts(definition, f"$defs/{name}")


def _parts(part: Mapping[str, Any], where: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield where, part
    for name, below in part.get("properties", {}).items():
        yield from _parts(below, f"{where}/{name}")
    if "items" in part:
        yield from _parts(part["items"], f"{where}/items")


def keywords(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for item in part:
            yield from keywords(item)
    elif isinstance(part, Mapping):
        for key, below in part.items():
            yield key
            if key in {"properties", "$defs"}:
                for each in below.values():
                    yield from keywords(each)
            elif key not in {"examples", "default", "enum", "const", "required"}:
                yield from keywords(below)
