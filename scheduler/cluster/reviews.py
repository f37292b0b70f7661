"""Bodies of TokenReview, SubjectAccessReview and TokenRequest, and what their answers mean. Doubt means no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scheduler import names
from scheduler.cluster.port import Caller
from scheduler.model.types import Manifest


def token_review(token: str, audiences: Sequence[str]) -> Manifest:
    return {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": token, "audiences": list(audiences)},
    }


def caller_of(answer: Manifest, audiences: Sequence[str]) -> Caller | None:
    """Who the reviewed token belongs to; None unless the answer itself names one of `audiences`.

    An authenticator that knows nothing of audiences accepts any token and leaves `status.audiences` empty.
    """
    status: Mapping[str, Any] = answer.get("status") or {}
    user: Mapping[str, Any] = status.get("user") or {}
    if status.get("authenticated") is not True or not user.get("username"):
        return None
    if not set(status.get("audiences") or ()) & set(audiences):
        return None
    return Caller(
        name=user["username"],
        uid=user.get("uid", ""),
        groups=tuple(user.get("groups") or ()),
        extra={key: tuple(values) for key, values in (user.get("extra") or {}).items()},
    )


def access_review(caller: Caller, attributes: Mapping[str, str]) -> Manifest:
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": caller.name,
            "uid": caller.uid,
            "groups": list(caller.groups),
            "extra": {key: list(values) for key, values in caller.extra.items()},
            "resourceAttributes": {"group": names.DOMAIN, **attributes},
        },
    }


def is_allowed(answer: Manifest) -> bool:
    status: Mapping[str, Any] = answer.get("status") or {}
    return status.get("allowed") is True and status.get("denied") is not True


def token_request(audience: str, seconds: int) -> Manifest:
    return {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": [audience], "expirationSeconds": seconds},
    }
