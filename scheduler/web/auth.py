"""Who calls (TokenReview, or an issuer's own keys) and what they may do (SubjectAccessReview), kept for seconds."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

from scheduler import names
from scheduler.cluster.port import Caller, Cluster, OwnAccessError
from scheduler.errors import ForbiddenError, UnauthenticatedError, UnavailableError
from scheduler.web.oidc.port import Issuer

_T = TypeVar("_T")
_ENTRIES: Final = 4096
_TOKEN_BYTES: Final = 16_384
_REFUSAL_SECONDS: Final = 1.0
"""How long a "no" is remembered at most: it may be wrong, and who is refused wrongly should not wait."""
_LONGEST_SECONDS: Final = 10.0
"""How long a "yes" is remembered at most, whatever the settings say."""
_SETTLING_SECONDS: Final = 10.0
"""An API server that has just started answers "no" before it has read the accounts and roles that there are."""


class Gate:
    """Asks Kubernetes about callers, and the issuer about those who bring its tokens.

    Safe for many threads; blocks, so call it from a worker thread.

    A revoked token or right may still be accepted for `cache_seconds`, and for 10 at most. UnavailableError when the
    API server does not answer, and when it says "no" only seconds after it did not answer.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        cache_seconds: float,
        issuer: Issuer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cluster = cluster
        self._issuer = issuer
        self._clock = clock
        self._away_at = float("-inf")
        cache_seconds = min(cache_seconds, _LONGEST_SECONDS)
        self._callers: _Remembered[Caller | None] = _Remembered(cache_seconds, clock)
        self._rights: _Remembered[bool] = _Remembered(cache_seconds, clock)

    def caller(self, authorization: str | None, *, audience: str = names.AUDIENCE) -> Caller:
        """Whose bearer token the `Authorization` header carries.

        UnauthenticatedError without one, and for one that is not accepted for the audience: the issuer's tokens by the
        issuer's keys, which are for people and programs only; all others by Kubernetes.
        """
        token = _bearer(authorization)
        key = (hashlib.sha256(token.encode()).digest(), audience)
        issuer = self._issuer
        if issuer is not None and audience == names.AUDIENCE and issuer.has_issued(token):
            found = self._callers.get(key, lambda: issuer.caller(token))
            if found is None:
                raise UnauthenticatedError("the token is not accepted: log in again")
            return found
        found = self._callers.get(
            key, lambda: self._asked(lambda: self._cluster.review_token(token, audiences=[audience]))
        )
        if found is None:
            raise UnauthenticatedError(f"the token is not valid for the audience '{audience}': log in again")
        return found

    def allows(
        self, caller: Caller, *, verb: str, resource: str, namespace: str, subresource: str = "", name: str = ""
    ) -> bool:
        """Whether the caller may do that with a resource of the group `modelops.dev`."""
        extra = tuple(sorted((key, values) for key, values in caller.extra.items()))
        key = (caller.name, caller.uid, caller.groups, extra, verb, resource, namespace, subresource, name)
        return self._rights.get(
            key,
            lambda: self._asked(
                lambda: self._cluster.allowed(
                    caller, verb=verb, resource=resource, namespace=namespace, subresource=subresource, name=name
                )
            ),
        )

    def require(
        self, caller: Caller, *, verb: str, resource: str, namespace: str, subresource: str = "", name: str = ""
    ) -> None:
        """Nothing when the caller may; otherwise a ForbiddenError that says what is missing."""
        if not self.allows(
            caller, verb=verb, resource=resource, namespace=namespace, subresource=subresource, name=name
        ):
            what = "/".join(part for part in (f"{resource}.{names.DOMAIN}", subresource) if part)
            raise ForbiddenError(f"{caller.name} may not {verb} {what} in '{namespace}'")

    def _asked(self, ask: Callable[[], _T]) -> _T:
        """Kubernetes' answer, when it can be relied on."""
        try:
            answer = ask()
        except OwnAccessError as error:
            self._away_at = self._clock()
            raise UnavailableError(f"this server's own account was refused: {error}") from error
        except UnavailableError:
            self._away_at = self._clock()
            raise
        if not answer and self._clock() - self._away_at < _SETTLING_SECONDS:
            message = "the API server has just come back, and may not know yet who you are and what you may do"
            raise UnavailableError(message, retry_after_seconds=2)
        return answer


class _Remembered(Generic[_T]):
    """Answers by key, each for a while, refusals for a shorter one; the oldest give way."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[Hashable, tuple[float, _T]] = {}

    def get(self, key: Hashable, ask: Callable[[], _T]) -> _T:
        with self._lock:
            found = self._entries.get(key)
        if found is not None and self._clock() < found[0]:
            return found[1]
        answer = ask()  # outside the lock: a slow API server must not stop those whose answer is known
        with self._lock:
            self._entries.pop(key, None)
            seconds = self._seconds if answer else min(self._seconds, _REFUSAL_SECONDS)
            self._entries[key] = (self._clock() + seconds, answer)
            while len(self._entries) > _ENTRIES:
                del self._entries[next(iter(self._entries))]
        return answer


def _bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise UnauthenticatedError("a bearer token is needed: `modelops login`")
    if len(token) > _TOKEN_BYTES or not token.isascii() or not token.isprintable():
        raise UnauthenticatedError("that is no token")
    return token
