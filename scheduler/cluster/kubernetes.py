"""The real API server over HTTPS.

Objects stay plain dictionaries: generated models would drop fields they do not know.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Self
from urllib.parse import urlencode

import urllib3

from scheduler.cluster import access, kinds, reviews, translation
from scheduler.cluster.access import Access
from scheduler.cluster.connection import PLAIN, Manner
from scheduler.cluster.lines import Lines
from scheduler.cluster.port import Caller, Event, EventType, ExpiredError, Listing, Token
from scheduler.errors import UnavailableError
from scheduler.model.types import Manifest

_CONNECT_SECONDS: Final = 5.0
_READ_SECONDS: Final = 15.0
_FOLLOW_SECONDS: Final = 6 * 3600.0
_PAGE: Final = 500
_WATCH_GRACE_SECONDS: Final = 1.5
"""How much longer than its `timeoutSeconds` a watch may stay silent before it counts as lost."""
_CONTENT_TYPES: Final = {"merge": "application/merge-patch+json", "json": "application/json-patch+json"}


class KubernetesCluster:
    """A `Cluster` behind HTTPS, with the identity of a kubeconfig or of the pod it runs in. Safe for many threads."""

    def __init__(self, access: Access, *, manner: Manner = PLAIN) -> None:
        self._access = access
        self._manner = manner

    @classmethod
    def in_pod(cls, *, manner: Manner = PLAIN) -> Self:
        """With the ServiceAccount of this pod; its token is read again as it is rotated."""
        return cls(access.in_pod(os.environ), manner=manner)

    @classmethod
    def from_kubeconfig(cls, path: Path | None = None, *, context: str | None = None, manner: Manner = PLAIN) -> Self:
        """With a kubeconfig; without a path the one that `KUBECONFIG` or the home folder names."""
        return cls(access.from_kubeconfig(path, context=context), manner=manner)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self._access.pool.clear()

    def get(self, kind: str, name: str, namespace: str = "") -> Manifest:
        return self._json("GET", kinds.path(kind, namespace, name), what=f"get {kind} '{name}'")

    def list(
        self, kind: str, namespace: str = "", *, labels: Mapping[str, str | None] | None = None, may_lag: bool = False
    ) -> Listing:
        if may_lag:
            return self._pages(kind, namespace, {**_selector(labels), "resourceVersion": "0"})
        try:
            return self._pages(kind, namespace, {**_selector(labels), "limit": str(_PAGE)})
        except ExpiredError:  # more changes between two pages than the server remembers
            return self._pages(kind, namespace, _selector(labels))

    def create(self, manifest: Manifest) -> Manifest:
        kind, metadata = manifest["kind"], manifest["metadata"]
        path = kinds.path(kind, metadata.get("namespace", ""))
        return self._json("POST", path, body=manifest, what=f"create {kind} '{metadata.get('name', '')}'")

    def patch(
        self,
        kind: str,
        name: str,
        namespace: str,
        patch: Mapping[str, object] | Sequence[Mapping[str, object]],
        *,
        type_: Literal["merge", "json"] = "merge",
    ) -> Manifest:
        body: object = dict(patch) if isinstance(patch, Mapping) else [dict(step) for step in patch]
        path = kinds.path(kind, namespace, name)
        return self._json("PATCH", path, body=body, content=_CONTENT_TYPES[type_], what=f"patch {kind} '{name}'")

    def delete(
        self,
        kind: str,
        name: str,
        namespace: str = "",
        *,
        uid: str = "",
        resource_version: str = "",
        grace_seconds: int | None = None,
    ) -> None:
        options: dict[str, object] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        conditions = {"uid": uid, "resourceVersion": resource_version}
        options["preconditions"] = {key: value for key, value in conditions.items() if value}
        self._json("DELETE", kinds.path(kind, namespace, name), body=options, what=f"delete {kind} '{name}'")

    def watch(
        self,
        kind: str,
        namespace: str = "",
        *,
        labels: Mapping[str, str | None] | None = None,
        resource_version: str,
        timeout_seconds: float,
    ) -> Iterator[Event]:
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(max(1, round(timeout_seconds))),
            **_selector(labels),
        }
        what = f"watch {kind}"
        response = self._open(
            "GET", kinds.path(kind, namespace), query, what=what, read_seconds=timeout_seconds + _WATCH_GRACE_SECONDS
        )
        lines = Lines(response, what)
        try:
            for line in lines:
                yield _event(json.loads(line), what)
        except UnavailableError:
            self._forget_connections()
            raise
        finally:
            lines.release()

    def pod_logs(
        self, name: str, namespace: str, *, container: str = "", follow: bool = False, tail_lines: int | None = None
    ) -> Lines:
        query = {
            **({"container": container} if container else {}),
            **({"follow": "true"} if follow else {}),
            **({"tailLines": str(tail_lines)} if tail_lines is not None else {}),
        }
        what = f"read the log of pod '{name}'"
        path = kinds.path("Pod", namespace, name) + "/log"
        read_seconds = _FOLLOW_SECONDS if follow else _READ_SECONDS
        return Lines(self._open("GET", path, query, what=what, read_seconds=read_seconds), what)

    def review_token(self, token: str, *, audiences: Sequence[str]) -> Caller | None:
        path = "/apis/authentication.k8s.io/v1/tokenreviews"
        answer = self._json("POST", path, body=reviews.token_review(token, audiences), what="review a token")
        return reviews.caller_of(answer, audiences)

    def allowed(
        self, caller: Caller, *, verb: str, resource: str, namespace: str, subresource: str = "", name: str = ""
    ) -> bool:
        attributes = {
            "verb": verb,
            "resource": resource,
            "namespace": namespace,
            **({"subresource": subresource} if subresource else {}),
            **({"name": name} if name else {}),
        }
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        answer = self._json("POST", path, body=reviews.access_review(caller, attributes), what="review an access")
        return reviews.is_allowed(answer)

    def request_token(self, account: str, namespace: str, *, audience: str, seconds: int) -> Token:
        path = kinds.path("ServiceAccount", namespace, account) + "/token"
        body = reviews.token_request(audience, seconds)
        status = self._json("POST", path, body=body, what=f"request a token of account '{account}'")["status"]
        return Token(value=status["token"], expires=status["expirationTimestamp"])

    def _pages(self, kind: str, namespace: str, query: Mapping[str, str]) -> Listing:
        items: list[Manifest] = []
        entry = kinds.known(kind)
        while True:
            page = self._json("GET", kinds.path(kind, namespace), query=query, what=f"list {kind}")
            # Items of a list carry neither kind nor apiVersion; everywhere else they do.
            items += [{**item, "apiVersion": entry.api_version, "kind": kind} for item in page.get("items") or ()]
            token = page["metadata"].get("continue", "")
            if not token:
                return Listing(items=tuple(items), resource_version=page["metadata"]["resourceVersion"])
            query = {**query, "continue": token}

    def _json(
        self,
        method: str,
        path: str,
        *,
        what: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content: str = "application/json",
    ) -> dict[str, Any]:
        response = self._open(method, path, query or {}, what=what, body=body, content=content)
        with translation.translated(what):
            text = response.data
        answer: dict[str, Any] = json.loads(text) if text else {}
        return answer

    def _open(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        *,
        what: str,
        read_seconds: float = _READ_SECONDS,
        body: object = None,
        content: str = "application/json",
    ) -> urllib3.BaseHTTPResponse:
        """The open response; its error translated when it is not a success."""
        headers = {"Content-Type": content, **self._manner.headers(method)}
        authorization = self._access.authorization()
        if authorization:
            headers["Authorization"] = authorization
        url = self._access.host + path + (f"?{urlencode(query)}" if query else "")
        try:
            with translation.translated(what, host=self._access.host):
                response = self._access.pool.request(
                    method,
                    url,
                    headers=headers,
                    body=None if body is None else json.dumps(body),
                    timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=read_seconds),
                    preload_content=False,
                )
        except UnavailableError:
            self._forget_connections()
            raise
        with translation.translated(what):
            if response.status >= 300:
                raise translation.error_for(response.status, response.data, response.headers, what)
        return response

    def _forget_connections(self) -> None:
        """Whatever made one connection fail has, as a rule, happened to all: the next request opens a new one."""
        self._access.pool.clear()


def _selector(labels: Mapping[str, str | None] | None) -> dict[str, str]:
    if not labels:
        return {}
    terms = [key if value is None else f"{key}={value}" for key, value in labels.items()]
    return {"labelSelector": ",".join(terms)}


def _event(given: Mapping[str, Any], what: str) -> Event:
    if given["type"] == "ERROR":
        status = given["object"]
        raise translation.error_for(int(status.get("code", 500)), json.dumps(status).encode(), {}, what)
    if given["type"] not in EventType.__members__:
        raise UnavailableError(f"could not {what}: the API server sent an event of unknown type '{given['type']}'")
    return Event(type=EventType(given["type"]), manifest=given["object"])
