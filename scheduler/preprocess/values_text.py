"""Values as text: one form for one value, read alike by PyYAML and by Helm."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml
from yaml import events

from scheduler.model.types import Values

_PLAIN: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
_BREAKS: Final = re.compile("[\r\x85\u2028\u2029]")
"""Line ends for YAML 1.1 and not for 1.2; inside a block they would change."""
_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
_REPRESENTER: Final = yaml.representer.SafeRepresenter()


def to_yaml(values: Values) -> str:
    """`values` with sorted keys, without aliases or anchors; equal values give equal text. TypeError for other types.

    Written event by event, not by way of PyYAML's tree of nodes: that is twice as quick, and a tree of 50,000 nodes
    makes the garbage collector look at everything there is, again and again.
    """
    written: str = yaml.emit(_document(values), Dumper=yaml.CSafeDumper, width=10**6, allow_unicode=True)
    return written


def from_yaml(text: str) -> Values:
    """The values that `to_yaml` wrote."""
    loaded = yaml.load(text, Loader=yaml.CSafeLoader)
    if not isinstance(loaded, dict):
        raise TypeError("Values are a map")
    return loaded


def _document(values: Values) -> Iterator[events.Event]:
    yield events.StreamStartEvent()
    yield events.DocumentStartEvent(explicit=False)
    yield from _events(values)
    yield events.DocumentEndEvent(explicit=False)
    yield events.StreamEndEvent()


def _events(value: Any) -> Iterator[events.Event]:
    if isinstance(value, str):
        yield events.ScalarEvent(None, None, (True, True), value, style=style(value))
    elif isinstance(value, dict):
        yield events.MappingStartEvent(None, None, implicit=True, flow_style=False)
        for key in sorted(value):
            yield from _events(key)
            yield from _events(value[key])
        yield events.MappingEndEvent()
    elif isinstance(value, list | tuple):
        yield events.SequenceStartEvent(None, None, implicit=True, flow_style=False)
        for item in value:
            yield from _events(item)
        yield events.SequenceEndEvent()
    elif value is None or isinstance(value, bool | int | float):
        yield events.ScalarEvent(None, None, (True, True), _REPRESENTER.represent_data(value).value)
    else:
        raise TypeError(f"{type(value).__name__} has no form in Values")


def style(text: str) -> str | None:
    """A block, quoted, or None for a plain word: YAML 1.1 and 1.2 disagree about what `1e3`, `0o17`, `on`, `~` are."""
    if "\n" in text and _BREAKS.search(text) is None:
        return "|"
    is_plain = _PLAIN.fullmatch(text) is not None and text.lower() not in _WORDS
    return None if is_plain else '"'
