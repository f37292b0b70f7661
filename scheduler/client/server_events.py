"""Server-sent events, as the HTML standard defines their text (section 9.2.6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerEvent:
    name: str
    data: str
    id: str
    """Of the last event that had one: where a new stream goes on."""


def parse(lines: Iterable[str]) -> Iterator[ServerEvent]:
    """The events in the lines of a stream; comments and events without data are left out, as is one cut short.

    >>> list(parse([": hello", "event: job", "id: 7", "data: {", "data: }", ""]))
    [ServerEvent(name='job', data='{\\n}', id='7')]
    """
    name, last_id, data = "", "", list[str]()
    for line in lines:
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield ServerEvent(name=name or "message", data="\n".join(data), id=last_id)
            name, data = "", []
        elif key == "event":
            name = value
        elif key == "data":
            data.append(value)
        elif key == "id" and "\0" not in value:
            last_id = value
