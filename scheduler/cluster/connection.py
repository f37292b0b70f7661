"""How the API server is spoken to: as whom, under which name, and what is tried when a connection is no good."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from urllib3.connection import HTTPConnection
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import ReadTimeoutError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Retry

POOL: Final = 64
"""Connections that are kept for the next request."""
SOCKET_OPTIONS: Final = [
    *HTTPConnection.default_socket_options,
    # a half-open connection is found by keep-alive probes; reads of a quiet log have no other limit
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
]
_ONLY_METADATA: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """What differs between the ways in which one program speaks to the API server."""

    user_agent: str = "modelops"
    as_user: str = ""
    """Whom to impersonate; empty: nobody. RBAC must allow it, and the API server's audit names both."""
    is_blind: bool = False
    """Lists bring metadata only, so that no content, of a Secret above all, ever comes here."""

    def headers(self, method: str) -> dict[str, str]:
        accept = _ONLY_METADATA if self.is_blind and method == "GET" else "application/json"
        return {
            "Accept": accept,
            "User-Agent": self.user_agent,
            **({"Impersonate-User": self.as_user} if self.as_user else {}),
        }


PLAIN: Final = Manner()


class OneMoreTry(Retry):
    """A second try on another connection where one broke; none where one was silent.

    The silence has cost its whole time already, and the next connection of the pool may be as dead as the first.
    """

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        if isinstance(error, ReadTimeoutError):
            raise error
        return super().increment(method, url, response, error, _pool, _stacktrace)


def retries() -> Retry:
    return OneMoreTry(total=1, connect=1, read=1, redirect=0, status=0, other=0, respect_retry_after_header=False)
