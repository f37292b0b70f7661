"""Judges Tekton: there, new enough, answering, and set as jobs want it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import yaml

from scheduler.inspection.facts import Tekton, Unknown
from scheduler.inspection.findings import Area, Finding, State
from scheduler.tekton import prerequisite
from scheduler.tekton.prerequisite import Argument, Setting

_INSTALL: Final = "install Tekton Pipelines {}.{} or later: https://tekton.dev/docs/installation/pipelines/".format(
    *prerequisite.OLDEST
)
_DURATION: Final = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")


def judge(found: Tekton | Unknown | None) -> Iterator[Finding]:
    """One finding when it is not there; else one for each thing about it."""
    if isinstance(found, Unknown):
        yield _finding("version", State.UNKNOWN, found.reason)
        return
    if found is None:
        yield _finding("version", State.MISSING, "this cluster has no Tekton", remedy=_INSTALL)
        return
    yield _version(found.version)
    yield _answer(found.refusal)
    for setting in prerequisite.SETTINGS:
        yield _setting(setting, found.settings[setting.config])
    for argument in prerequisite.ARGUMENTS:
        yield _argument(argument, found.arguments)


def _version(found: str | Unknown) -> Finding:
    if isinstance(found, Unknown):
        return _finding("version", State.UNKNOWN, found.reason)
    numbers = numbers_of(found)
    if numbers is None:
        return _finding("version", State.UNKNOWN, f"it calls itself '{found}'")
    is_old = numbers < prerequisite.OLDEST
    return _finding("version", State.MISSING if is_old else State.OK, found, remedy=_INSTALL if is_old else "")


def _answer(refusal: str | Unknown) -> Finding:
    if isinstance(refusal, Unknown):
        return _finding("webhook", State.UNKNOWN, refusal.reason)
    if refusal:
        remedy = f"look at deployment tekton-pipelines-webhook in {prerequisite.NAMESPACE}"
        return _finding("webhook", State.MISSING, f"admits no run: {refusal}", remedy=remedy)
    return _finding("webhook", State.OK, "admits a run")


def _setting(wanted: Setting, data: Mapping[str, str] | Unknown) -> Finding:
    what = f"{wanted.config} {wanted.key}"
    if isinstance(data, Unknown):
        return _finding(what, State.UNKNOWN, data.reason)
    found = data.get(wanted.key, wanted.default)
    shown = _shown(wanted, found) if wanted.key in data else f"{_shown(wanted, found)} (default)"
    if _is_good(wanted, found):
        return _finding(what, State.OK, shown)
    state = State.MISSING if wanted.is_needed else State.COSTS
    return _finding(what, state, shown, cost=wanted.cost, remedy=_remedy(wanted))


def _remedy(wanted: Setting) -> str:
    place = f"ConfigMap {wanted.config} in Tekton's namespace"
    if wanted.key != prerequisite.RESOURCES:
        return f'set {wanted.key}: "{wanted.value}" in {place}'
    names = " and ".join(prerequisite.INIT_CONTAINERS)
    return f"give {names} limits of {prerequisite.LEAST_CPU} CPU and 256Mi by {wanted.key} in {place}"


def _shown(wanted: Setting, found: str) -> str:
    """A text of many lines in a few words."""
    if wanted.key != prerequisite.RESOURCES:
        return found
    cpus = [f"{name} {cpu}" for name in prerequisite.INIT_CONTAINERS if (cpu := _cpu(found, name))]
    return f"CPU limits: {', '.join(cpus)}" if cpus else "100m CPU"


def _is_good(wanted: Setting, found: str) -> bool:
    if wanted.key == prerequisite.RESOURCES:
        return all(_is_enough(found, name) for name in prerequisite.INIT_CONTAINERS)
    if wanted.key == "lease-duration":
        seconds, most = seconds_of(found), seconds_of(wanted.value)
        return seconds is not None and most is not None and seconds <= most
    return found == wanted.value


def _is_enough(text: str, container: str) -> bool:
    """An entry without a limit takes the limit away."""
    entry = _requirements(text).get(container)
    if not isinstance(entry, Mapping):
        return False
    limit = _cpu(text, container)
    return not limit or _cores(limit) >= _cores(prerequisite.LEAST_CPU)


def _cpu(text: str, container: str) -> str:
    entry = _requirements(text).get(container)
    limits = entry.get("limits") if isinstance(entry, Mapping) else None
    return str(limits.get("cpu", "")) if isinstance(limits, Mapping) else ""


def _requirements(text: str) -> Mapping[str, Any]:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return found if isinstance(found, Mapping) else {}


def _cores(quantity: str) -> Decimal:
    """Kubernetes' way to write CPUs; 0 for what is none.

    >>> _cores("250m"), _cores("1.5")
    (Decimal('0.25'), Decimal('1.5'))
    """
    try:
        return Decimal(quantity[:-1]) / 1000 if quantity.endswith("m") else Decimal(quantity)
    except InvalidOperation:
        return Decimal(0)


def _argument(wanted: Argument, given: Sequence[str] | Unknown) -> Finding:
    what = f"controller -{wanted.flag}"
    if isinstance(given, Unknown):
        return _finding(what, State.UNKNOWN, given.reason)
    value = argument_of(given, wanted.flag)
    number = int(value) if value.isdigit() else wanted.default
    shown = str(number) if value.isdigit() else f"{number} (default)"
    if number >= wanted.value:
        return _finding(what, State.OK, shown)
    remedy = f'add "-{wanted.flag}", "{wanted.value}" to the args of deployment {prerequisite.CONTROLLER}'
    return _finding(what, State.COSTS, shown, cost=wanted.cost, remedy=remedy)


def argument_of(given: Sequence[str], flag: str) -> str:
    """The value of a Go program's flag, in whichever of its four ways it is written; empty without it.

    >>> argument_of(["-a", "1", "--qps=50"], "qps"), argument_of(["-a", "1"], "a"), argument_of(["-a"], "a")
    ('50', '1', '')
    """
    found = ""
    for word, following in zip(given, [*given, ""][1:], strict=True):
        name, sign, value = word.partition("=")
        if name in {f"-{flag}", f"--{flag}"}:
            found = value if sign else following
    return found


def numbers_of(version: str) -> tuple[int, int] | None:
    """Major and minor.

    >>> numbers_of("v1.15.0"), numbers_of("v1.34.4+k3s1"), numbers_of("devel")
    ((1, 15), (1, 34), None)
    """
    match = re.match(r"v?(\d+)\.(\d+)", version)
    return (int(match[1]), int(match[2])) if match else None


def seconds_of(text: str) -> float | None:
    """A Go duration.

    >>> seconds_of("1m30s"), seconds_of("15s"), seconds_of("soon")
    (90.0, 15.0, None)
    """
    match = _DURATION.fullmatch(text) if text else None
    if match is None:
        return None
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def _finding(what: str, state: State, found: str, *, cost: str = "", remedy: str = "") -> Finding:
    return Finding(area=Area.TEKTON, what=what, state=state, found=found, cost=cost, remedy=remedy)
