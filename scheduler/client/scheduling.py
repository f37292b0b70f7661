"""Client of the scheduling server's HTTP API, version 1. Jobs come as the JSON that the server shows."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import quote

import httpx

from scheduler import names
from scheduler.client import server_events
from scheduler.client.server_events import ServerEvent
from scheduler.model.types import Document
from scheduler.rest import Query, RestClient

JobJson: TypeAlias = Mapping[str, Any]
"""`model.job_json.job_to_json`."""

_PAGE: Final = 500
_SUBMIT_SECONDS: Final = 60.0
_FOLLOW_SECONDS: Final = 24 * 3600.0
_QUIET_SECONDS: Final = 60.0
"""How long an event stream may be silent: the server sends a comment at least every 15 seconds."""


class SchedulingClient:
    """The scheduling server, with one caller's token. Raises the errors of `scheduler.errors`."""

    def __init__(
        self,
        url: str,
        *,
        token: Callable[[], str] | None = None,
        timeout_seconds: float = _SUBMIT_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._rest = RestClient(
            url, name="the scheduling server", token=token, timeout_seconds=timeout_seconds, transport=transport
        )

    def close(self) -> None:
        self._rest.close()

    def start(
        self, order: Mapping[str, object], *, key: str, on_behalf_of: str = "", request_id: str = ""
    ) -> tuple[JobJson, bool]:
        """The job, and whether it is new: the same key and order start one job however often this is called.

        `on_behalf_of` names the person for whom a server asks that may do so; empty: the token's own. `request_id` is
        what the request goes by in the server's log.
        """
        headers = {"Idempotency-Key": key, **_known_as(on_behalf_of, request_id)}
        status, job = self._rest.exchange("POST", "/v1/jobs", body=order, headers=headers)
        return job, status == 201

    def plan(self, order: Mapping[str, object]) -> Mapping[str, Any]:
        """What starting this would do; nothing is started."""
        plan: Mapping[str, Any] = self._rest.json("POST", "/v1/plans", body=order)
        return plan

    def job(self, job_id: str) -> JobJson:
        job: JobJson = self._rest.json("GET", _job(job_id))
        return job

    def jobs(self, query: Query, *, limit: int) -> tuple[JobJson, ...]:
        """The newest jobs that fit, `limit` at most; asks for as many pages as that takes."""
        found: list[JobJson] = []
        cursor: str | None = None
        while len(found) < limit:
            page = self.page({**query, "limit": min(_PAGE, limit - len(found)), "cursor": cursor})
            found += page["jobs"]
            cursor = page["nextCursor"] or None
            if cursor is None:
                break
        return tuple(found[:limit])

    def page(self, query: Query) -> Mapping[str, Any]:
        """One page as the server gives it: `jobs`, and `nextCursor` for the `cursor` of the next one."""
        page: Mapping[str, Any] = self._rest.json("GET", "/v1/jobs", query=query)
        return page

    def cancel(self, job_id: str, *, mode: str = "cancel", on_behalf_of: str = "", request_id: str = "") -> JobJson:
        """`mode`: cancel (end at once, and clean up) | drain (let a stream publish all that it has) | force."""
        path, headers = f"{_job(job_id)}/cancel", _known_as(on_behalf_of, request_id)
        job: JobJson = self._rest.json("POST", path, body={"mode": mode}, headers=headers)
        return job

    def clean(self, environment: str = "", *, is_dry_run: bool) -> Mapping[str, Any]:
        """{dryRun, releases}: what jobs have left behind there, removed unless `is_dry_run`; empty: everywhere."""
        body = {"environment": environment, "dryRun": is_dry_run}
        found: Mapping[str, Any] = self._rest.json("POST", "/v1/cleanups", body=body)
        return found

    def complete(self, job_id: str, *, outcome: str, message: str = "") -> JobJson:
        """Say that the scoring is over; for operators. `outcome`: Succeeded | Failed."""
        body = {"outcome": outcome, "message": message}
        job: JobJson = self._rest.json("PUT", f"{_job(job_id)}/completion", body=body)
        return job

    def events(self, job_id: str, *, last_id: str = "") -> Generator[ServerEvent]:
        """The job's changes from now on, or after the event `last_id`, until the server ends the stream.

        Whoever stops before the end closes it, and with it the connection.
        """
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
        with self._rest.stream(
            "GET", f"{_job(job_id)}/events", headers=headers, timeout_seconds=_QUIET_SECONDS
        ) as response:
            yield from server_events.parse(response.iter_lines())

    def logs(self, job_id: str, *, wanted: Query, is_following: bool = False) -> Generator[str]:
        """Lines of one of the job's logs: `wanted` has source, container and tail; following ends with the pod.

        Whoever stops before the end closes it, and with it the connection.
        """
        query = {**wanted, "follow": "true" if is_following else None}
        seconds = _FOLLOW_SECONDS if is_following else _SUBMIT_SECONDS
        with self._rest.stream("GET", f"{_job(job_id)}/logs", query=query, timeout_seconds=seconds) as response:
            yield from response.iter_lines()

    def channels(self, environment: str) -> tuple[Mapping[str, Any], ...]:
        answer = self._rest.json("GET", "/v1/data-channels", query={"environment": environment})
        return tuple(answer["channels"])

    def channel(self, name: str, environment: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._rest.json("GET", _channel(name), query={"environment": environment})
        return found

    def deploy_channel(
        self, name: str, *, channel: Document, schema: Document, environment: str
    ) -> tuple[Mapping[str, Any], bool]:
        """The channel as registered, and whether its name is new there."""
        body = {"channel": dict(channel), "schema": dict(schema)}
        status, found = self._rest.exchange("PUT", _channel(name), body=body, query={"environment": environment})
        return found, status == 201

    def remove_channel(self, name: str, environment: str, *, force: bool = False) -> None:
        query = {"environment": environment, "force": "true" if force else None}
        self._rest.json("DELETE", _channel(name), query=query)


def _known_as(person: str, request_id: str) -> Mapping[str, str]:
    given = {names.ON_BEHALF_OF: quote(person, safe=""), "X-Request-Id": request_id}
    return {name: value for name, value in given.items() if value}


def _job(job_id: str) -> str:
    return f"/v1/jobs/{quote(job_id, safe='')}"


def _channel(name: str) -> str:
    return f"/v1/data-channels/{quote(name, safe='')}"
