"""A switch for tests: what happens at one chosen call to the API server.

It is off unless the program's environment has `MODELOPS_FAULT`; no request, chart value or object can set it.

    MODELOPS_FAULT=exit:before:create:PipelineRun:1
                   │    │      │      │           └ which of these calls, from 1; 1 when left out
                   │    │      │      └ kind, as in its manifest
                   │    │      └ get | list | create | patch | delete | watch
                   │    └ before the call, or after it took effect
                   └ exit: the process ends at once, as by SIGKILL | raise: no answer came | hang: none ever comes
"""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, cast

from scheduler.cluster import kinds
from scheduler.cluster.port import Cluster
from scheduler.errors import InvalidInputError, UnavailableError
from scheduler.model.problem import Problem

VARIABLE: Final = "MODELOPS_FAULT"
EXIT_CODE: Final = 70
"""Of a process that the switch has ended."""
VERBS: Final = ("get", "list", "create", "patch", "delete", "watch")
_REVIEWS: Final = {
    "review_token": ("create", "TokenReview"),
    "allowed": ("create", "SubjectAccessReview"),
    "request_token": ("create", "TokenRequest"),
    "pod_logs": ("get", "PodLog"),
}
_log = logging.getLogger(__name__)


class When(StrEnum):
    BEFORE = "before"
    AFTER = "after"
    """Its effect is there, its answer has not reached anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One moment of a program: beside its `number`-th call (from 1) of this verb on this kind."""

    when: When
    verb: str
    kind: str
    number: int = 1

    def __str__(self) -> str:
        return f"{self.when}:{self.verb}:{self.kind}:{self.number}"


Tap = Callable[[Gap], None]
"""Told of every gap as it is reached, by the thread that makes the call; what it raises ends the call."""


def tapped(cluster: Cluster, tap: Tap) -> Cluster:
    """The same cluster; `tap` is told before and after each call."""
    return cast("Cluster", _Tapped(cluster, tap))


def switched(cluster: Cluster, setting: str) -> Cluster:
    """The cluster itself without a setting; else one that fails as the setting says.

    InvalidInputError for a setting that makes no sense: a test that fails nothing proves nothing.
    """
    if not setting:
        return cluster
    act, gap = parse(setting)
    _log.warning("%s is set: this program will fail on purpose (%s)", VARIABLE, setting)

    def tap(reached: Gap) -> None:
        if reached == gap:
            _log.warning("failing on purpose: %s", setting)
            act()

    return tapped(cluster, tap)


def parse(setting: str) -> tuple[Callable[[], None], Gap]:
    """What is to happen, and where."""
    words = (*setting.split(":"), "1")
    act, when, verb, kind, number = words[:5] if len(words) in {5, 6} else ("",) * 5
    known: Mapping[str, Collection[str]] = {act: _ACTS, when: tuple(When), verb: VERBS, kind: _KINDS}
    wrong = [word for word, right in known.items() if word not in right]
    if not number.isdigit() or int(number) < 1:
        wrong.append(number)
    if wrong or len(words) not in {5, 6}:
        form = "exit|raise|hang:before|after:verb:Kind[:number from 1]"
        told = f" ({', '.join(repr(word) for word in wrong if word)})" if any(wrong) else ""
        raise InvalidInputError([Problem(pointer=VARIABLE, message=f"'{setting}' is not {form}{told}")])
    return _ACTS[act], Gap(when=When(when), verb=verb, kind=kind, number=int(number))


class _Tapped:
    """Counts the calls of each verb and kind, over all threads."""

    def __init__(self, inner: Cluster, tap: Tap) -> None:
        self._inner = inner
        self._tap = tap
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name not in VERBS and name not in _REVIEWS:
            return method

        def call(*args: Any, **kwargs: Any) -> Any:
            verb, kind = _REVIEWS.get(name) or (name, _kind(name, args, kwargs))
            with self._lock:
                self._counts[verb, kind] += 1
                number = self._counts[verb, kind]
            self._tap(Gap(when=When.BEFORE, verb=verb, kind=kind, number=number))
            answer = method(*args, **kwargs)
            self._tap(Gap(when=When.AFTER, verb=verb, kind=kind, number=number))
            return answer

        return call


def _kind(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    if name == "create":
        manifest = args[0] if args else kwargs["manifest"]
        return str(manifest["kind"])
    return str(args[0] if args else kwargs["kind"])


def _exit() -> None:
    os._exit(EXIT_CODE)


def _raise() -> None:
    raise UnavailableError(f"no answer came ({VARIABLE})", retry_after_seconds=1)


def _hang() -> None:
    threading.Event().wait()


_ACTS: Final[Mapping[str, Callable[[], None]]] = {"exit": _exit, "raise": _raise, "hang": _hang}
_KINDS: Final = {*kinds.KINDS, *(kind for _, kind in _REVIEWS.values())}
