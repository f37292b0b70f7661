"""Credentials that stand in an IR instead of in a Secret. Their values are never repeated in a message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from scheduler.ir import pointer
from scheduler.ir.source import Sourced
from scheduler.model.problem import Problem

_WORDS: Final = frozenset(
    {"accesskey", "accesskeyid", "accesstoken", "apikey", "apitoken", "auth", "authorization", "authtoken", "bearer"}
    | {"bearertoken", "clientsecret", "connectionstring", "credential", "credentials", "keystorepassword"}
    | {"oauthtoken", "pass", "passphrase", "passwd", "password", "privatekey", "pwd", "refreshtoken"}
    | {"sasljaasconfig", "sastoken", "secret", "secretaccesskey", "secretkey", "sessiontoken", "sslkey", "token"}
)
_ENDINGS: Final = (
    "password",
    "passphrase",
    "secret",
    "apikey",
    "privatekey",
    "accesstoken",
    "authtoken",
    "secretkey",
    "accesskey",
)
_USER_INFO: Final = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/?#@:'\"]{1,200}:[^\s/?#@'\"]{1,400}@")
_REMEDY: Final = "name a Kubernetes Secret by spec.env and secretRef {name, key} instead"


def problems(sourced: Sourced) -> Iterator[tuple[Problem, tuple[str, ...]]]:
    """Each inline credential: keys named like one, plain values of `env`, URLs with user and password.

    With each the pointers at and below which the schema has nothing to add.
    """
    yield from _walk(sourced, sourced.document, ())
    if sourced.kind == "ScoringPipeline":
        yield from _plain_env(sourced)


def is_credential(name: str) -> bool:
    """Whether a key of that name holds a credential.

    >>> is_credential("apiKey"), is_credential("SASL_PASSWORD"), is_credential("max_tokens")
    (True, True, False)
    """
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return plain in _WORDS or plain.endswith(_ENDINGS)


def _walk(sourced: Sourced, value: object, path: tuple[str | int, ...]) -> Iterator[tuple[Problem, tuple[str, ...]]]:
    if isinstance(value, Mapping):
        for key, below in value.items():
            if _is_inline(sourced, key, below, path):
                yield _problem(sourced, (*path, key), f"'{key[:60]}' is a credential; {_REMEDY}")
            else:
                yield from _walk(sourced, below, (*path, key))
        if _is_parameter(value) and is_credential(value["name"]):
            yield _problem(
                sourced, (*path, "default"), f"the default of '{value['name'][:60]}' is a credential; {_REMEDY}"
            )
    elif isinstance(value, list | tuple):
        for index, below in enumerate(value):
            yield from _walk(sourced, below, (*path, index))
    elif isinstance(value, str) and "://" in value and _USER_INFO.search(value):
        yield _problem(sourced, path, f"the URL holds a user's password; {_REMEDY}")


def _is_inline(sourced: Sourced, key: str, value: object, path: tuple[str | int, ...]) -> bool:
    if sourced.kind == "RecordSchema" and path[:2] == ("spec", "properties"):
        return False  # the fields of a record may be called anything
    return key != "secretRef" and is_credential(key) and not (isinstance(value, Mapping) and "secretRef" in value)


def _is_parameter(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("name"), str) and "type" in value and "default" in value


def _plain_env(sourced: Sourced) -> Iterator[tuple[Problem, tuple[str, ...]]]:
    spec = sourced.document.get("spec")
    entries = spec.get("env") if isinstance(spec, Mapping) else None
    for index, entry in enumerate(entries if isinstance(entries, list | tuple) else ()):
        if isinstance(entry, Mapping) and "value" in entry:
            message = (
                "a variable has no plain value: use secretRef {name, key}, or a parameter where no secret is meant"
            )
            at = pointer.join(["spec", "env", index, "value"])
            yield sourced.problem(message, pointer=at), (pointer.join(["spec", "env", index]),)


def _problem(sourced: Sourced, path: tuple[str | int, ...], message: str) -> tuple[Problem, tuple[str, ...]]:
    at = pointer.join(path)
    return sourced.problem(message, pointer=at), (at,)
