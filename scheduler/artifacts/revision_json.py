"""Revisions as they travel over HTTP, both directions; camelCase."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scheduler.artifacts.revisions import Revision


def to_json(revision: Revision, *, with_documents: bool = False) -> Mapping[str, object]:
    value: dict[str, object] = {
        "pipeline": revision.pipeline,
        "revision": revision.revision,
        "digest": revision.digest,
        "createdAt": revision.created_at,
        "createdBy": revision.created_by,
    }
    if with_documents:
        value["documents"] = [dict(document) for document in revision.documents]
    return value


def from_json(value: Mapping[str, Any]) -> Revision:
    return Revision(
        pipeline=value["pipeline"],
        revision=value["revision"],
        digest=value["digest"],
        created_at=value["createdAt"],
        created_by=value["createdBy"],
        documents=tuple(value.get("documents", ())),
    )
