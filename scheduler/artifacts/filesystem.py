"""Objects in anything that fsspec has a filesystem for; tested with S3.

An upload becomes an object when it is closed, and not before; `object_store` looks at the start whether the store
keeps to what this module takes for granted. Listings are never cached: another replica may have written a moment ago.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import fsspec

from scheduler.artifacts.objects import Objects, Reader, Writer
from scheduler.errors import UnavailableError

BLOCK: Final = 5 << 20
"""Bytes of one part of an upload, of which an upload holds about three; S3 takes no fewer, and 10,000 of them."""
AHEAD: Final = 1 << 20
"""Bytes that a download reads ahead, of which it holds about four times as many."""
UPLOADS_AT_ONCE: Final = 8
"""More are answered 503: memory stays bounded."""
MARK: Final = "store"
"""An object that is always there; without it nothing is said to be absent, for a bucket that is gone looks empty."""


class Filesystem(Objects):
    """The objects below `prefix`; `shown` is the place as people are told it."""

    def __init__(self, filesystem: Any, *, prefix: str, shown: str) -> None:
        self._filesystem: fsspec.AbstractFileSystem = filesystem
        self._prefix = prefix.rstrip("/")
        self._shown = shown
        self._uploads = threading.BoundedSemaphore(UPLOADS_AT_ONCE)
        self._checking = threading.Lock()

    def size(self, name: str) -> int | None:
        found = self._found(name)
        if found is None:
            self._require_mark()
        return found

    def open(self, name: str) -> Reader | None:
        with self._told():
            try:
                file = self._filesystem.open(self._path(name), "rb", block_size=AHEAD, cache_type="readahead")
            except FileNotFoundError:
                self._require_mark()
                return None
        return _Download(file, self)

    @contextmanager
    def writing(self, name: str) -> Iterator[Writer]:
        if not self._uploads.acquire(blocking=False):
            raise UnavailableError(f"{UPLOADS_AT_ONCE} uploads are under way", retry_after_seconds=5)
        try:
            upload = _Upload(self, self._path(name))
            try:
                yield upload
            finally:
                upload.discard()
        finally:
            self._uploads.release()

    def create(self, name: str, content: bytes) -> bool:
        path = self._path(name)
        with self._told():
            try:
                self._filesystem.pipe_file(path, content, mode="create")
            except FileExistsError:
                return False
            except OSError:
                # not every store says in the same words that something stands there
                if self._filesystem.exists(path):
                    return False
                raise
        return True

    def move(self, name: str, target: str) -> None:
        with self._told(), suppress(FileNotFoundError):
            self._filesystem.mv(self._path(name), self._path(target))

    def remove(self, name: str) -> None:
        with self._told(), suppress(FileNotFoundError):
            self._filesystem.rm_file(self._path(name))

    def names(self, folder: str) -> frozenset[str]:
        with self._told():
            try:
                found = self._filesystem.ls(self._path(folder), detail=False)
            except FileNotFoundError:
                self._require_mark()
                return frozenset()
        # some stores list the folder itself
        return frozenset(path.rstrip("/").rsplit("/", 1)[-1] for path in found if not path.endswith(f"/{folder}/"))

    def check(self) -> None:
        # a store that hangs holds one thread, however often it is asked for
        if not self._checking.acquire(blocking=False):
            raise UnavailableError(f"{self._shown} has not answered yet")
        try:
            self._require_mark()
        finally:
            self._checking.release()

    def upload(self, path: str) -> Any:
        """A file that becomes an object when it is closed."""
        with self._told():
            return self._filesystem.open(path, "wb", block_size=BLOCK)

    def mark(self) -> None:
        """Put the mark there: the place is a store from now on."""
        self.create(MARK, b"artifacts and revisions of a modelops server\n")

    def _found(self, name: str) -> int | None:
        with self._told():
            try:
                found = self._filesystem.info(self._path(name))
            except FileNotFoundError:
                return None
        return int(found["size"]) if found["type"] == "file" else None

    def _require_mark(self) -> None:
        if self._found(MARK) is None:
            raise UnavailableError(f"{self._shown} is gone: its object '{MARK}' is not there")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Whatever the store's library raises, as an error of ours. Its words hold no credentials."""
        try:
            yield
        except UnavailableError:
            raise
        except Exception as error:
            raise UnavailableError(f"{self._shown}: {type(error).__name__}: {error}") from error

    told = _told

    def _path(self, name: str) -> str:
        return f"{self._prefix}/{name}"


class _Download:
    def __init__(self, file: Any, objects: Filesystem) -> None:
        self._file = file
        self._objects = objects
        self.size = int(file.size)

    def read(self, count: int) -> bytes:
        with self._objects.told():
            return bytes(self._file.read(count))

    def close(self) -> None:
        self._file.close()


class _Upload:
    """Opened by its first byte: content that is refused before asks nothing of the store."""

    def __init__(self, objects: Filesystem, path: str) -> None:
        self._objects = objects
        self._path = path
        self._file: Any = None

    def write(self, block: bytes) -> None:
        file = self._opened()
        with self._objects.told():
            file.write(block)

    def finish(self) -> None:
        file = self._opened()
        with self._objects.told():
            file.close()

    def discard(self) -> None:
        """Nothing is left of what was not finished. What the store keeps of a killed program's, it shows to nobody."""
        if self._file is None or self._file.closed:
            return
        try:
            with suppress(UnavailableError), self._objects.told():
                self._file.discard()
        finally:
            # else the garbage collector would close the file, and so finish it; not every file is of that kind
            with suppress(AttributeError):
                self._file.closed = True

    def _opened(self) -> Any:
        if self._file is None:
            self._file = self._objects.upload(self._path)
        return self._file
