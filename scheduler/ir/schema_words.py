"""What a JSON Schema validator found, told to somebody who never read a JSON Schema.

One teller for each keyword that the schemas use; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from scheduler.ir import words
from scheduler.model import alike

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    """What the validator found: this value breaks this keyword of this schema."""

    keyword: str
    wanted: Any
    """The keyword's value."""
    instance: Any
    schema: Mapping[str, Any]
    path: Path
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault within a document."""

    path: Path
    message: str
    candidates: tuple[str, ...] = ()


def findings(error: Error) -> Iterator[Finding]:
    """One error as one or more findings; none when another error of the same value says it better."""
    yield from KEYWORDS[error.keyword](error)


def _unknown_keys(error: Error) -> Iterator[Finding]:
    known: Sequence[str] = list(error.schema.get("properties", {}))
    for key in error.instance:
        if key not in known:
            free = [name for name in known if name not in error.instance]
            candidates = tuple(alike.nearest_first(key, free))
            yield Finding(path=(*error.path, key), message=f"unknown key {words.shown(key)}", candidates=candidates)


def _misspelt(instance: Mapping[str, Any], schema: Mapping[str, Any]) -> set[str]:
    """Known keys that unknown ones were probably meant to be: to call those missing as well would be noise."""
    known: Mapping[str, Any] = schema.get("properties", {})
    free = [name for name in known if name not in instance]
    unknown = [key for key in instance if key not in known][:50]
    return {near[0] for key in unknown if (near := alike.close(key, free))}


def _missing(error: Error) -> Iterator[Finding]:
    # the validator gives one error for each missing key and names the key only in its message
    wanted: Sequence[str] = error.wanted
    missing = next(key for key in wanted if key not in error.instance and error.message.startswith(repr(key)))
    if missing not in _misspelt(error.instance, error.schema):
        yield Finding(path=error.path, message=f"'{missing}' is missing")


def _not_one_of(error: Error) -> Iterator[Finding]:
    candidates = tuple(alike.nearest_first(error.instance, [str(option) for option in error.wanted]))
    yield Finding(path=error.path, message=f"{words.shown(error.instance)} is not accepted", candidates=candidates)


def _not_the(error: Error) -> Iterator[Finding]:
    message = f"{words.shown(error.instance)} should be '{error.wanted}'"
    yield Finding(path=error.path, message=message)


def _wrong_type(error: Error) -> Iterator[Finding]:
    types = [error.wanted] if isinstance(error.wanted, str) else error.wanted
    wanted = " or ".join(words.type_name(name) for name in types)
    hint = ""
    if wanted == "text" and isinstance(error.instance, bool | int | float):
        hint = "; quote it"
        if "x-words" in error.schema:
            wanted = str(error.schema["x-words"])
    yield Finding(path=error.path, message=f"{words.shown(error.instance)} is not {wanted}{hint}")


def _pattern(error: Error) -> Iterator[Finding]:
    # `schema._pattern` puts the schema's own words into the message
    yield Finding(path=error.path, message=f"{words.shown(error.instance)} is not {error.message}")


def _never(error: Error) -> Iterator[Finding]:
    yield Finding(path=error.path, message=f"'{error.path[-1]}' has no place beside this 'type'")


def _one_thing(error: Error) -> Iterator[Finding]:
    """`oneOf` branches that each require one key: a step does exactly one thing."""
    if not isinstance(error.instance, Mapping):
        return  # its type is told
    options = [branch["required"][0] for branch in error.wanted]
    there = [name for name in options if name in error.instance]
    if there:
        message = f"{' and '.join(repr(name) for name in there)} cannot stand together: one thing a step"
        yield Finding(path=error.path, message=message)
    elif not _misspelt(error.instance, error.schema) & set(options):
        yield Finding(path=error.path, message=f"{words.either(options)} is missing")


def _limit(template: str) -> Callable[[Error], Iterator[Finding]]:
    def tell(error: Error) -> Iterator[Finding]:
        shown = words.shown(error.instance)
        yield Finding(path=error.path, message=template.format(shown=shown, limit=error.wanted))

    return tell


KEYWORDS: Final[Mapping[str, Callable[[Error], Iterator[Finding]]]] = {
    "additionalProperties": _unknown_keys,
    "const": _not_the,
    "enum": _not_one_of,
    "maxItems": _limit("a list of more than {limit} items"),
    "maxLength": _limit("text of more than {limit} characters"),
    "maxProperties": _limit("a mapping of more than {limit} keys"),
    "maximum": _limit("{shown} is more than {limit}"),
    "minItems": _limit("the list is empty: at least {limit} is needed"),
    "minLength": _limit("the text is empty"),
    "minProperties": _limit("the mapping is empty: at least {limit} is needed"),
    "minimum": _limit("{shown} is less than {limit}"),
    "not": _never,
    "oneOf": _one_thing,
    "pattern": _pattern,
    "required": _missing,
    "type": _wrong_type,
    "uniqueItems": _limit("something stands in the list twice"),
}
