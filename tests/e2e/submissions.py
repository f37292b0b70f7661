"""Somebody who starts small jobs all the time, each request on a connection of its own, and notes every answer."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from scheduler.cli.configuration import Login
from tests.e2e import callers

MOST: Final = 8
"""Jobs that are begun at most: more of them do not fit beside a platform that changes."""
_EVERY_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.5

Order = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    key: str
    status: int
    job: str
    """Id of the job; empty: it was not accepted."""
    retry_after: str
    words: str

    @property
    def is_right(self) -> bool:
        """Accepted, or told to come again."""
        return self.status in {200, 201} if self.job else self.status == 503 and self.retry_after.isdigit()


@dataclass(slots=True, kw_only=True)
class Submissions:
    login: Login
    orders: Sequence[Order]
    """Taken in turn."""
    answers: list[Answer] = field(default_factory=list)

    @property
    def jobs(self) -> Mapping[str, set[str]]:
        """Key -> the jobs that it was answered with."""
        found: dict[str, set[str]] = {}
        for answer in self.answers:
            found.setdefault(answer.key, set()).update({answer.job} - {""})
        return found

    def until(self, over: threading.Event) -> None:
        """Begin a job now and then; in between send the last request again, which starts nothing."""
        number, key, began = 0, uuid.uuid4().hex, time.monotonic()
        while not over.is_set():
            answer = self._ask(key, self.orders[number % len(self.orders)])
            self.answers.append(answer)
            if answer.job and number + 1 < MOST and time.monotonic() - began > _EVERY_SECONDS:
                number, key, began = number + 1, uuid.uuid4().hex, time.monotonic()
            over.wait(_PAUSE_SECONDS)

    def _ask(self, key: str, order: Order) -> Answer:
        with callers.http(self.login.url, self.login.token) as http:
            found = http.post("/v1/jobs", json=order, headers={"Idempotency-Key": key})
        body: dict[str, Any] = found.json()
        return Answer(
            key=key,
            status=found.status_code,
            job=body["id"] if found.is_success else "",
            retry_after=found.headers.get("Retry-After", ""),
            words=found.text[:500],
        )


@contextmanager
def going_on(login: Login, *orders: Order) -> Iterator[Submissions]:
    """Until the context ends, which raises what no answer came for."""
    made, over = Submissions(login=login, orders=orders), threading.Event()
    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(made.until, over)
        try:
            yield made
        finally:
            over.set()
        asking.result(timeout=60)
