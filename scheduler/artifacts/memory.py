"""Objects that are gone with the process: the fake of the port, and what `memory://` means."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from scheduler.artifacts.objects import Objects, Reader, Writer


class _Content(io.BytesIO):
    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.size = len(content)

    def read(self, count: int | None = -1, /) -> bytes:
        return super().read(count)


class _Part:
    def __init__(self, keep: Callable[[bytes], None]) -> None:
        self._keep = keep
        self._blocks: list[bytes] = []

    def write(self, block: bytes) -> None:
        self._blocks.append(bytes(block))

    def finish(self) -> None:
        self._keep(b"".join(self._blocks))


class Memory(Objects):
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.contents: dict[str, bytes] = {}
        """What stands there by name, for tests to look at and to damage."""

    def size(self, name: str) -> int | None:
        content = self.contents.get(name)
        return None if content is None else len(content)

    def open(self, name: str) -> Reader | None:
        content = self.contents.get(name)
        return None if content is None else _Content(content)

    @contextmanager
    def writing(self, name: str) -> Iterator[Writer]:
        yield _Part(lambda content: self.contents.__setitem__(name, content))

    def create(self, name: str, content: bytes) -> bool:
        with self._lock:
            return self.contents.setdefault(name, content) is content

    def move(self, name: str, target: str) -> None:
        with self._lock:
            content = self.contents.pop(name, None)
            if content is not None:
                self.contents[target] = content

    def remove(self, name: str) -> None:
        self.contents.pop(name, None)

    def names(self, folder: str) -> frozenset[str]:
        found = (name.removeprefix(f"{folder}/") for name in list(self.contents) if name.startswith(f"{folder}/"))
        return frozenset(name.split("/")[0] for name in found)

    def check(self) -> None:
        pass
