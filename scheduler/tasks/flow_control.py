"""The control port of flow runners, as `wait` uses it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Literal, Protocol, TypeAlias

import httpx

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
    """The real ones, over HTTP. No proxy of the environment is asked: addresses are those of pods."""

    def __init__(self, *, port: int = PORT) -> None:
        self._port = port
        self._client = httpx.Client(timeout=httpx.Timeout(_TIMEOUT_SECONDS, connect=_CONNECT_SECONDS), trust_env=False)

    def __enter__(self) -> HttpFlowControl:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def progress(self, address: str) -> Progress | None:
        try:
            response = self._client.get(self._url(address, "progress"))
        except httpx.HTTPError:
            return None
        return job_json.progress_from_json(job_json.parse(response.text)) if response.is_success else None

    def ask(self, address: str, wish: Wish) -> bool:
        try:
            return self._client.post(self._url(address, wish)).is_success
        except httpx.HTTPError:
            return False

    def _url(self, address: str, path: str) -> str:
        host = f"[{address}]" if ":" in address else address
        return f"http://{host}:{self._port}/{path}"


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
