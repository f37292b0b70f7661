"""YAML text as events, by PyYAML's parser and the core schema of YAML 1.2: `no`, `on` and dates stay text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import yaml

from scheduler.ir import events

# PyYAML's own parser gives the same events where it was built without libyaml, only slower.
_PARSER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER: Final = re.compile(r"[-+]?[0-9]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_FIRST_OF_NUMBER: Final = frozenset("-+.0123456789")


def parse(text: bytes) -> Iterator[events.Event]:
    """Events of YAML text, scalars read by the core schema of YAML 1.2: `no`, `on` and dates stay text.

    events.SyntaxFault where the text is not YAML. Anchors are passed on, tags are a fault of their value.
    """
    try:
        for event in yaml.parse(text, Loader=_PARSER):
            make = _MAKERS.get(type(event))
            if make is not None:
                mark = event.start_mark
                yield make(event, mark.line + 1 if mark else 0)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise events.SyntaxFault(_yaml_words(error), line=mark.line + 1 if mark else 0) from error
    except yaml.reader.ReaderError as error:
        message = "the text holds a character that YAML does not allow (a control character?)"
        raise events.SyntaxFault(message, line=text.count(b"\n", 0, max(error.position, 0)) + 1) from error


def _scalar(event: yaml.ScalarEvent, line: int) -> events.Event:
    if event.tag is not None:
        return events.Value(line, None, event.anchor, events.TAGS)
    if event.implicit[0]:
        return _plain(event.value, line, event.anchor)
    return events.Value(line, event.value, event.anchor)


def _plain(text: str, line: int, anchor: str | None) -> events.Value:
    if text in _NULL:
        return events.Value(line, None, anchor)
    if text in _BOOLEANS:
        return events.Value(line, _BOOLEANS[text], anchor)
    return _number(text, line, anchor) or events.Value(line, text, anchor)


def _number(text: str, line: int, anchor: str | None) -> events.Value | None:
    """None when the text is not a number."""
    if text[0] not in _FIRST_OF_NUMBER:
        return None
    if _INTEGER.fullmatch(text):
        return events.integer(text, line, anchor)
    if _FLOAT.fullmatch(text):
        return events.real(text, line, anchor)
    return events.Value(line, None, anchor, events.NOT_FINITE) if _NOT_FINITE.fullmatch(text) else None


def _mapping(event: yaml.MappingStartEvent, line: int) -> events.Event:
    return events.StartMapping(line, event.anchor, "" if event.tag is None else events.TAGS)


def _list(event: yaml.SequenceStartEvent, line: int) -> events.Event:
    return events.StartList(line, event.anchor, "" if event.tag is None else events.TAGS)


_MAKERS: Final[Mapping[type[yaml.Event], Callable[..., events.Event]]] = {
    yaml.ScalarEvent: _scalar,
    yaml.MappingStartEvent: _mapping,
    yaml.SequenceStartEvent: _list,
    yaml.MappingEndEvent: lambda _event, line: events.End(line),
    yaml.SequenceEndEvent: lambda _event, line: events.End(line),
    yaml.AliasEvent: lambda event, line: events.Alias(line, event.anchor),
    yaml.DocumentStartEvent: lambda _event, line: events.StartDocument(line),
}
"""Start and end of the stream and ends of documents say nothing that is needed."""


_YAML_WORDS: Final = (
    ("mapping values are not allowed", "a ':' where no key can stand; quote the text if it contains ': '"),
    ("cannot start any token", "a tab, or another character that cannot stand here unquoted"),
    ("did not find expected key", "the indentation does not fit the lines above, or a key has no ':'"),
    ("could not find expected ':'", "a key without ':'"),
    ("did not find expected '-' indicator", "the indentation does not fit the list above"),
    ("unexpected end of stream", "a quote is opened and never closed"),
    ("did not find expected ',' or", "a ',' or the closing bracket is missing"),
    ("undefined tag handle", "tags ('!…') are not accepted"),
)


def _yaml_words(error: yaml.MarkedYAMLError) -> str:
    said = error.problem or error.context or "the text cannot be read"
    meant = next((ours for theirs, ours in _YAML_WORDS if theirs in said), said)
    return f"not valid YAML: {meant}"
