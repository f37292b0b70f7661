"""Where in a configuration a line is: its JSON pointer, and the step it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    pointer: str = ""
    step: str = ""
    """Path label of the step, `<flow>.<step>`; empty outside of one."""


def find(configuration: str, line: int) -> Place:
    """The innermost place that `line` (from 1) is part of; an empty one for text that is no YAML."""
    node = _root(configuration)
    pointer, step = "", ""
    while node is not None:
        step = _step(node) or step
        inner = next(((key, child) for key, begin, child in _children(node) if _holds(begin, child, line)), None)
        if inner is None:
            break
        pointer += "/" + inner[0].replace("~", "~0").replace("/", "~1")
        node = inner[1]
    return Place(pointer=pointer, step=step)


@lru_cache(maxsize=1)  # a configuration of a thousand faults is asked about a thousand times
def _root(configuration: str) -> yaml.Node | None:
    try:
        root: yaml.Node | None = yaml.compose(configuration, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return None
    return root


def _children(node: yaml.Node) -> Iterator[tuple[str, int, yaml.Node]]:
    """Key, first line and value of each child; the key's own line belongs to it."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield str(key.value), key.start_mark.line, value
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield str(index), value.start_mark.line, value


def _holds(begin: int, node: yaml.Node, line: int) -> bool:
    end = node.end_mark.line - (1 if node.end_mark.column == 0 and node.end_mark.line > begin else 0)
    return begin <= line - 1 <= end


def _step(node: yaml.Node) -> str:
    if not isinstance(node, yaml.MappingNode):
        return ""
    return next((str(value.value) for key, value in node.value if key.value == "step"), "")
