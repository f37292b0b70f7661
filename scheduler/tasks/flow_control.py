"""The control port of flow runners, as `wait` uses it."""

from __future__ import annotations

import http.client
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, TypeAlias

from scheduler.model import job_json
from scheduler.model.job import Progress

PORT: Final = 4196
_TIMEOUT_SECONDS: Final = 2.0
_CONNECT_SECONDS: Final = 0.5
"""A pod that has just ended has no address any more, and nothing answers there: that must not hold up its end."""

Wish: TypeAlias = Literal["complete", "drain"]


class FlowControl(Protocol):
    """Flow runners, by the address of their pod. One that does not answer now may do so later."""

    def progress(self, address: str) -> Progress | None:
        """How far the flow is; None when it does not answer."""
        ...

    def ask(self, address: str, wish: Wish) -> bool:
        """Whether the flow has heard that it should end."""
        ...


class HttpFlowControl:
    """The real ones, over HTTP."""

    def __init__(self, *, port: int = PORT) -> None:
        self._port = port

    def progress(self, address: str) -> Progress | None:
        text = self._asked(address, "GET", "progress")
        return None if text is None else job_json.progress_from_json(job_json.parse(text))

    def ask(self, address: str, wish: Wish) -> bool:
        return self._asked(address, "POST", wish) is not None

    def _asked(self, address: str, method: str, path: str) -> str | None:
        """What it answers when it says yes."""
        connection = http.client.HTTPConnection(address, self._port, timeout=_CONNECT_SECONDS)
        try:
            connection.connect()
            connection.sock.settimeout(_TIMEOUT_SECONDS)
            connection.request(method, f"/{path}")
            response = connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException, UnicodeDecodeError):
            return None
        finally:
            connection.close()
        return text if response.status == http.client.OK else None


@dataclass
class FakeFlowControl:
    """Flow runners in memory; a test says what they answer."""

    answers: dict[str, Progress] = field(default_factory=dict)
    """Address -> progress; any other address does not answer."""
    asked: list[tuple[str, Wish]] = field(default_factory=list)

    def progress(self, address: str) -> Progress | None:
        return self.answers.get(address)

    def ask(self, address: str, wish: Wish) -> bool:
        if address not in self.answers:
            return False
        self.asked.append((address, wish))
        return True
