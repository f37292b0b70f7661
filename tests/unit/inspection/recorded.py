"""An API server's answers as they were recorded, played again."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from scheduler.cluster import translation
from scheduler.errors import SchedulerError
from scheduler.model.types import Manifest

_FOLDER: Final = Path(__file__).parent / "answers"
_MAY: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass
class Recorded:
    """Answers by `METHOD path`: an object, or a refusal's `{code, message}`. All rights are held but those `denied`."""

    answers: dict[str, Any]
    denied: frozenset[str] = frozenset()
    """`verb resource.group in namespace`, or `*`."""
    url: str = "https://192.0.2.10:6443"
    asked: list[tuple[str, Mapping[str, str], Manifest | None]] = field(default_factory=list)

    def ask(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Manifest | None = None
    ) -> Manifest:
        call = f"{method} {path}"
        self.asked.append((call, dict(query or {}), copy.deepcopy(body)))
        if path == _MAY:
            assert body is not None
            return {"status": {"allowed": not self._is_denied(body["spec"]["resourceAttributes"])}}
        answer = self.answers.get(call, {"code": 404, "message": f"{path} not found"})
        if isinstance(answer, SchedulerError):
            raise answer
        if "code" in answer:
            raise translation.error_for(answer["code"], yaml.safe_dump(answer).encode(), {}, call)
        found: Manifest = copy.deepcopy(answer)
        return found

    def _is_denied(self, attributes: Mapping[str, str]) -> bool:
        kind = f"{attributes['resource']}.{attributes.get('group', '')}".removesuffix(".")
        place = f" in {attributes['namespace']}" if "namespace" in attributes else ""
        return bool({"*", f"{attributes['verb']} {kind}{place}"} & self.denied)


def load(name: str, *, denied: frozenset[str] = frozenset()) -> Recorded:
    """The answers of `answers/<name>.yaml`."""
    return Recorded(answers=yaml.safe_load((_FOLDER / f"{name}.yaml").read_text()), denied=denied)
