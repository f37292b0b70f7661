"""Events → plain values and their places, counting while it goes: nothing is built that is larger than the limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from scheduler.errors import TooLargeError
from scheduler.ir import events, limits, pointer, words
from scheduler.ir.source import Branch, Places
from scheduler.model import alike
from scheduler.model.problem import Problem


@dataclass(slots=True)
class Budget:
    """What the texts of one IR may still use together."""

    nodes: int = limits.TOTAL_NODES
    documents: int = limits.DOCUMENTS

    def begin(self, place: str) -> None:
        """Count one more document; TooLargeError when it is one too many."""
        self.documents -= 1
        if self.documents < 0:
            raise TooLargeError(f"{place}more than {limits.DOCUMENTS:,} documents")


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """What one document of a text holds: any value, not yet known to be a mapping."""

    value: Any
    places: Places


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    roots: tuple[Root, ...]
    problems: tuple[Problem, ...]
    """Faults that reading could go on after; the values around them are not to be used."""


def compose(stream: Iterator[events.Event], *, file: str, budget: Budget) -> Composed:
    """Read the stream to its end, or to the point where it is not YAML or JSON any more (the last problem).

    An alias stands for the very value of its anchor and counts as often as it is used. TooLargeError beyond a limit.
    """
    composer = _Composer(stream, file=file, budget=budget)
    roots: list[Root] = []
    try:
        roots.extend(composer.document() for event in stream if isinstance(event, events.StartDocument))
    except events.SyntaxFault as fault:
        composer.problems.append(Problem(message=str(fault), file=file, line=fault.line))
    return Composed(roots=tuple(roots), problems=tuple(composer.problems))


class _Node(NamedTuple):
    value: Any
    places: Places
    nodes: int
    height: int


_OPEN = _Node(None, 0, 0, 0)
"""Stands for an anchor whose value has not ended yet."""


@dataclass(slots=True)
class _Composer:
    stream: Iterator[events.Event]
    file: str
    budget: Budget
    problems: list[Problem] = field(default_factory=list)
    path: list[str | int] = field(default_factory=list)
    anchors: dict[str, _Node] = field(default_factory=dict)
    nodes: int = 0
    line: int = 0

    def document(self) -> Root:
        self.budget.begin(self.at())
        self.anchors, self.nodes = {}, 0
        node = self.value(next(self.stream))
        return Root(value=node.value, places=node.places)

    def value(self, event: events.Event) -> _Node:
        self.line = event.line
        match event:
            case events.Alias():
                return self.alias(event)
            case events.Value():
                self.count(1)
                self.fault(event.fault)
                node = _Node(event.value, event.line, 1, 0)
            case events.StartMapping() | events.StartList():
                self.count(1)
                self.fault(event.fault)
                if event.anchor is not None:
                    self.anchors[event.anchor] = _OPEN
                node = self.collection(event)
            case _:  # a parser that gives other events here is broken
                raise events.SyntaxFault("a value is missing", line=event.line)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def collection(self, event: events.StartMapping | events.StartList) -> _Node:
        if len(self.path) >= limits.DEPTH:
            self.too_deep()
        before = self.nodes
        read = self.mapping if isinstance(event, events.StartMapping) else self.list
        value, children, height = read()
        return _Node(value, Branch(event.line, children), self.nodes - before + 1, height + 1)

    def list(self) -> tuple[list[Any], list[Places], int]:
        values: list[Any] = []
        places: list[Places] = []
        height = 0
        for event in self.stream:
            if isinstance(event, events.End):
                break
            self.path.append(len(values))
            node = self.value(event)
            self.path.pop()
            values.append(node.value)
            places.append(node.places)
            height = max(height, node.height)
        return values, places, height

    def mapping(self) -> tuple[dict[str, Any], dict[str, Places], int]:
        values: dict[str, Any] = {}
        places: dict[str, Places] = {}
        height = 0
        for event in self.stream:
            if isinstance(event, events.End):
                break
            key = self.key(event, places)
            self.path.append(key)
            node = self.value(next(self.stream))
            self.path.pop()
            if key not in values:
                values[key] = node.value
                places[key] = event.line if isinstance(node.places, int) else node.places._replace(line=event.line)
            height = max(height, node.height)
        return values, places, height

    def key(self, event: events.Event, seen: dict[str, Places]) -> str:
        self.line = event.line
        if not isinstance(event, events.Value):
            self.path.append("?")
            self.value(event)
            self.path.pop()
            return self.wrong_key("a key is text, not a mapping, list or alias", "?")
        if event.anchor is not None:
            self.anchors[event.anchor] = _Node(event.value, event.line, 1, 0)
        self.fault(event.fault)
        if not isinstance(event.value, str):
            shown = words.shown(event.value)
            return self.wrong_key(f"a key is text: quote {shown}", shown)
        if len(event.value) > limits.KEY:
            raise TooLargeError(f"{self.at()}a key of more than {limits.KEY} characters")
        if event.value == "<<":
            return self.wrong_key("merge keys ('<<') are not accepted: write the keys out", "<<")
        if event.value in seen:
            first = seen[event.value]
            line = first if isinstance(first, int) else first.line
            return self.wrong_key(f"the key '{event.value}' stands here twice (first on line {line})", event.value)
        return event.value

    def wrong_key(self, message: str, key: str) -> str:
        self.path.append(key)
        self.fault(message)
        self.path.pop()
        return key

    def alias(self, event: events.Alias) -> _Node:
        node = self.anchors.get(event.anchor)
        if node is None or node is _OPEN:
            known = [name for name, anchored in self.anchors.items() if anchored is not _OPEN]
            message = f"the alias '*{event.anchor[:60]}' " + (
                "has no anchor before it" if node is None else "stands inside its own anchor"
            )
            self.fault(message, candidates=tuple(alike.nearest_first(event.anchor, known)[:8]) if node is None else ())
            return _Node(None, event.line, 1, 0)
        self.count(node.nodes)
        if len(self.path) + node.height > limits.DEPTH:
            self.too_deep()
        return node

    def count(self, nodes: int) -> None:
        self.nodes += nodes
        self.budget.nodes -= nodes
        if self.nodes > limits.NODES:
            raise TooLargeError(
                f"{self.at()}more than {limits.NODES:,} values in one document"
                " (what an alias stands for counts each time)"
            )
        if self.budget.nodes < 0:
            raise TooLargeError(f"{self.at()}more than {limits.TOTAL_NODES:,} values in all documents together")

    def too_deep(self) -> None:
        raise TooLargeError(f"{self.at()}more than {limits.DEPTH} mappings and lists inside each other")

    def fault(self, message: str, candidates: tuple[str, ...] = ()) -> None:
        if message and len(self.problems) < limits.PROBLEMS:
            at = pointer.join(self.path)
            problem = Problem(message=message, pointer=at, file=self.file, line=self.line, candidates=candidates)
            self.problems.append(problem)

    def at(self) -> str:
        return f"{self.file}:{self.line}: " if self.file else f"line {self.line}: "
