"""What somebody can do about a build that failed, by the words of the program that did."""

from __future__ import annotations

import re
from typing import Final

from scheduler.errors import ForbiddenError, InvalidInputError, ProgramError, SchedulerError, UnavailableError
from scheduler.images import references

_LOGIN: Final = "give the login of the registry in the Secret global.build.pushSecret, with the right to push"
_DOWN: Final = "see that the registry of {} runs and that pods of the build namespace reach it"
_SILENT: Final = re.compile(r"the registry (\S+) does not answer")
_CONTEXT: Final = (
    "run `modelops images bootstrap` from a project that has it and set global.build.tools to that image, or mend the "
    "sub-chart's builds"
)
_TIME: Final = "raise global.build.stepMinutes, or see in the log what it waited for"
_REACH: Final = (
    "see that the registry and the package archives are reachable from the build namespace; how archives are reached "
    "is said by the Secret global.build.settingsSecret (`modelops images settings` writes one)"
)
_OF_INPUT: Final = {
    "is not there": _CONTEXT,
    "applications do not fit": "raise the quota, or ask for less: global.size, the servers' resources, their replicas",
}
_UNFORESEEN: Final = "this is a fault of the program: report it with the log of the step"
_QUOTA: Final = (
    "raise global.build.quota, or whatever other quota the build namespace has, or lower global.build.resources"
)
_BY_REASON: Final = {
    "ExceededResourceQuota": _QUOTA,
    "PodAdmissionFailed": "builds run as root in their pods: label the build namespace for Pod Security `baseline`",
    "TaskRunImagePullFailed": (
        "see that nodes reach the registry of global.registry.pull and may pull global.build.tools "
        "(global.imagePullSecrets)"
    ),
}
"""Of what Tekton says where no program of ours could run."""
_BY_WORDS: Final = {
    # 28 is ENOSPC: docker-registry tells the number alone
    r"no space left on device|disk quota exceeded|insufficient storage|\"err\":28\b": (
        "there is no room: on the registry's disk, or on the node's (global.build.storage)"
    ),
    r"unauthorized|authentication required|no basic auth credentials|resource is denied|denied:": _LOGIN,
    r"x509:|certificate verify failed": "give the certificates to trust in the ConfigMap global.caBundle.configMap",
    r"server gave http response to https client": (
        "a registry with a host name needs TLS; one at a private address is spoken to in plain HTTP"
    ),
    r"connection refused|no such host|i/o timeout|network is unreachable|no route to host|server misbehaving": _REACH,
    r"no matching distribution|unable to locate package|temporary failure (in name )?resol": _REACH,
    r"signal: killed|exit status 137|out of memory": "raise global.build.resources",
    r"internal server error|(status:?|answered) 5\d\d": (
        "the registry failed: see its own log, and whether its disk is full"
    ),
}
"""The first that fits counts."""


def told(error: Exception, *, registry: str = "", base: str = "") -> str:
    """The error's words, and behind them what to do about it where that is known.

    `registry` and `base` are what global.registry.push and global.build.base say: of two registries one may be down.
    """
    if not isinstance(error, SchedulerError):
        return f"{type(error).__name__}: {error}\n→ {_UNFORESEEN}"
    words = str(error).strip()
    silent = _SILENT.search(words) if isinstance(error, UnavailableError) else None
    remedy = _of_silent(silent[1], registry=registry, base=base) if silent else _remedy(error, words.lower())
    return f"{words}\n→ {remedy}" if remedy else words


def of_tekton(reason: str) -> str:
    """What to do when Tekton gives that reason; empty where nothing is known."""
    return _BY_REASON.get(reason, "")


def without_pod() -> str:
    """What to do when the time was over and there had been no pod.

    Tekton asks again for a pod that a quota refuses, and then tells of the time alone. A step's own time does not run
    meanwhile.
    """
    return f"it never got a pod: {_QUOTA}"


def _remedy(error: SchedulerError, words: str) -> str:
    if isinstance(error, InvalidInputError):
        return next((remedy for part, remedy in _OF_INPUT.items() if part in words), "")
    if isinstance(error, ForbiddenError) and "registry" in words:
        return _LOGIN
    if isinstance(error, UnavailableError) and "did not end within" in words:
        return _TIME
    if not isinstance(error, ProgramError | UnavailableError):
        return ""
    return next((remedy for pattern, remedy in _BY_WORDS.items() if re.search(pattern, words)), "")


def _of_silent(host: str, *, registry: str, base: str) -> str:
    given = {"global.registry.push": registry, "global.build.base": base}
    names = [name for name, value in given.items() if references.host(value) == host]
    return _DOWN.format(" and ".join(names or given))
