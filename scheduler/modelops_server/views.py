"""Bodies of artifacts and pipelines, as the OpenAPI document says. A test holds them against what is really sent."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Path
from pydantic import Field

from scheduler.web import views
from scheduler.web.views import View

Sha256 = Annotated[str, Path(description="64 digits of 0-9 and a-f.", examples=["0" * 64])]

NO_BODY: Final[dict[int | str, dict[str, Any]]] = {
    status: {"description": answer["description"]} for status, answer in {**views.PROBLEMS, **views.NOT_FOUND}.items()
}
"""What an answer to HEAD may be: its problems have no body."""
CONTENT: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The content; its digest is the ETag.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class ArtifactView(View):
    sha256: str
    size: int = Field(description="Bytes.")


class RevisionView(View):
    pipeline: str = Field(examples=["flight-delay"])
    revision: int
    digest: str = Field(description="Of the documents in their one form.")
    createdAt: str  # noqa: N815
    createdBy: str  # noqa: N815


class MadeView(RevisionView):
    created: bool = Field(description="False: the latest revision holds the same documents.")


class DocumentsView(RevisionView):
    documents: list[dict[str, Any]]


class LatestView(View):
    pipelines: list[RevisionView]


class RevisionsView(View):
    name: str
    latest: int
    revisions: list[RevisionView]
