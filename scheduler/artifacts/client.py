"""Client of the modelops server: artifacts by digest, revisions of pipelines."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import httpx

from scheduler.artifacts import digest, revision_json
from scheduler.artifacts.revisions import Revision
from scheduler.errors import DigestMismatchError, NotFoundError
from scheduler.model.types import Document
from scheduler.rest import RestClient

_TRANSFER_SECONDS: Final = 120.0


class ModelopsClient:
    """The modelops server as one caller sees it. Raises the errors of `scheduler.errors`."""

    def __init__(
        self, url: str, *, token: Callable[[], str] | None = None, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._rest = RestClient(url, name="the modelops server", token=token, transport=transport)

    def close(self) -> None:
        self._rest.close()

    def has_artifact(self, sha256: str) -> bool:
        try:
            self._rest.json("HEAD", f"/v1/artifacts/{digest.checked(sha256)}")
        except NotFoundError:
            return False
        return True

    def upload(self, path: Path, *, sha256: str, tell: Callable[[int], None] = lambda _: None) -> bool:
        """Put the file's content there under its digest; whether it was new. `tell` hears of bytes as they go."""
        with self._rest.stream(
            "PUT",
            f"/v1/artifacts/{digest.checked(sha256)}",
            content=_told(digest.blocks(path), tell),
            headers={"Content-Type": "application/octet-stream", "Content-Length": str(path.stat().st_size)},
            timeout_seconds=_TRANSFER_SECONDS,
        ) as response:
            return response.status_code == 201

    def download(self, sha256: str, target: Path) -> None:
        """Write the artifact to `target`, which must not be there; nothing is left when the digest is not right."""
        made = hashlib.sha256()
        path = f"/v1/artifacts/{digest.checked(sha256)}"
        try:
            with (
                self._rest.stream("GET", path, timeout_seconds=_TRANSFER_SECONDS) as response,
                target.open("xb") as file,
            ):
                for block in response.iter_bytes(digest.BLOCK):
                    made.update(block)
                    file.write(block)
            if made.hexdigest() != sha256:
                raise DigestMismatchError(f"what came has the digest {made.hexdigest()}, not {sha256}")
        except FileExistsError:
            raise
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    def grant(self, sha256: str, environment: str) -> None:
        """Let the jobs of the environment read the artifact."""
        self._rest.json("PUT", f"/v1/artifacts/{digest.checked(sha256)}/grants/{environment}")

    def deploy(self, pipeline: str, documents: Sequence[Document]) -> tuple[Revision, bool]:
        """The revision that holds these documents, and whether it is new."""
        body = {"documents": [dict(document) for document in documents]}
        status, value = self._rest.exchange("POST", f"/v1/pipelines/{pipeline}/revisions", body=body)
        return revision_json.from_json(value), status == 201

    def pipelines(self) -> tuple[Revision, ...]:
        """The latest revision of every pipeline, without its documents."""
        value = self._rest.json("GET", "/v1/pipelines")
        return tuple(revision_json.from_json(item) for item in value["pipelines"])

    def revisions(self, pipeline: str) -> tuple[Revision, ...]:
        """Every revision of the pipeline without its documents, oldest first."""
        value = self._rest.json("GET", f"/v1/pipelines/{pipeline}")
        return tuple(revision_json.from_json(item) for item in value["revisions"])

    def revision(self, pipeline: str, number: int | None = None) -> Revision:
        """One revision with its documents; the latest without a number."""
        wanted = "latest" if number is None else str(number)
        return revision_json.from_json(self._rest.json("GET", f"/v1/pipelines/{pipeline}/revisions/{wanted}"))


def _told(blocks: Iterator[bytes], tell: Callable[[int], None]) -> Iterator[bytes]:
    for block in blocks:
        yield block
        tell(len(block))
