"""A registry's content over HTTP (OCI distribution specification, pull and push); nothing is held in memory whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import httpx

from scheduler.errors import DigestMismatchError, NotFoundError, TooLargeError, UnavailableError
from scheduler.images.connection import Connection
from scheduler.images.registry import ACCEPT
from scheduler.images.store import Document

_PIECE: Final = 1 << 20
_PLAIN: Final = {"Accept-Encoding": "identity"}
"""The digest is that of the bytes as they are stored."""
_MANIFEST_BYTES: Final = 4 << 20
"""What registries accept of one."""


class HttpStore:
    """A `Store` behind a connection, which stays the caller's to close."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def manifest(self, repository: str, reference: str) -> Document:
        path = f"/v2/{repository}/manifests/{reference}"
        with self._connection.ask("GET", path, repository=repository, headers={"Accept": ACCEPT}) as answer:
            self._check(answer, {200}, f"{repository}:{reference}")
            content = b""
            for piece in answer.iter_bytes(_PIECE):
                content += piece
                if len(content) > _MANIFEST_BYTES:
                    raise TooLargeError(
                        f"the manifest of {repository}:{reference} has more than {_MANIFEST_BYTES} bytes"
                    )
            return Document(content=content, media_type=answer.headers.get("Content-Type", "").split(";")[0])

    @contextmanager
    def blob(self, repository: str, digest: str) -> Iterator[Iterator[bytes]]:
        with self._connection.ask(
            "GET", f"/v2/{repository}/blobs/{digest}", repository=repository, headers=_PLAIN
        ) as answer:
            self._check(answer, {200}, f"{repository}@{digest}")
            yield answer.iter_raw(_PIECE)

    def has_blob(self, repository: str, digest: str) -> bool:
        with self._connection.ask("HEAD", f"/v2/{repository}/blobs/{digest}", repository=repository) as answer:
            if answer.status_code == 404:
                return False
            self._check(answer, {200}, f"{repository}@{digest}")
            return True

    def put_blob(self, repository: str, digest: str, *, size: int, content: Iterable[bytes]) -> None:
        begin = f"/v2/{repository}/blobs/uploads/"
        with self._connection.ask("POST", begin, repository=repository) as answer:
            self._check(answer, {202}, f"{repository}@{digest}")
            place = str(answer.request.url.join(answer.headers["Location"]))
        query = {**dict(parse_qsl(urlsplit(place).query, keep_blank_values=True)), "digest": digest}
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        with self._connection.ask(
            "PUT", place, repository=repository, headers=headers, query=query, content=content
        ) as answer:
            self._check(answer, {201, 204}, f"{repository}@{digest}")

    def put_manifest(self, repository: str, reference: str, document: Document) -> None:
        path = f"/v2/{repository}/manifests/{reference}"
        headers = {"Content-Type": document.media_type}
        with self._connection.ask(
            "PUT", path, repository=repository, headers=headers, content=document.content
        ) as answer:
            self._check(answer, {201, 202}, f"{repository}:{reference}")

    def _check(self, answer: httpx.Response, good: set[int], what: str) -> None:
        if answer.status_code in good:
            return
        host = self._connection.host
        if answer.status_code == 404:
            raise NotFoundError(f"the registry {host} has no {what}")
        words = answer.read()[:1000].decode("utf-8", "replace").strip()
        if answer.status_code == 400 and "DIGEST" in words:
            raise DigestMismatchError(f"the registry {host} refuses {what}: its bytes do not have that digest")
        raise UnavailableError(f"the registry {host} answered {answer.status_code} for {what}: {words or 'no words'}")
