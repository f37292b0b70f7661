"""A store that does not keep to what artifacts and revisions stand on is refused, with all that it does not keep to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import fsspec
import pytest

from scheduler.artifacts import object_store
from scheduler.artifacts.filesystem import UPLOADS_AT_ONCE, Filesystem
from scheduler.artifacts.memory import Memory
from scheduler.artifacts.objects import Objects, Writer
from scheduler.errors import InvalidInputError, UnavailableError


class Overwriting(Memory):
    """Knows no conditional put: the header is ignored, as by many a store that calls itself compatible."""

    def create(self, name: str, content: bytes) -> bool:
        self.contents[name] = content
        return True


class Racing(Memory):
    """Looks first and writes then: all who looked before the first wrote win."""

    def __init__(self) -> None:
        super().__init__()
        self._met = threading.Barrier(4)

    def create(self, name: str, content: bytes) -> bool:
        if not name.endswith("/race"):
            return super().create(name, content)
        self._met.wait(10)
        self.contents[name] = content
        return True


class Showing(Memory):
    """Shows an upload while it comes."""

    @contextmanager
    def writing(self, name: str) -> Iterator[Writer]:
        self.contents[name] = b"half"
        with super().writing(name) as writer:
            yield writer


class Lagging(Memory):
    """Lists what was there a while ago."""

    def names(self, folder: str) -> frozenset[str]:
        return frozenset()


def test_a_store_that_keeps_to_everything_is_taken_and_nothing_is_left_in_it() -> None:
    objects = Memory()
    object_store.require(objects, shown="it")
    assert objects.contents == {}


@pytest.mark.parametrize(
    ("objects", "words"),
    [
        (Overwriting(), ["lets a conditional put (If-None-Match: *) replace what is there", "let 4 of 4 conditional"]),
        (Racing(), ["it let 4 of 4 conditional puts at once win, where exactly one may"]),
        (Showing(), ["shows an upload that is not finished"]),
        (Lagging(), ["does not list what was written a moment ago"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_store_that_does_not_is_refused_with_every_reason(objects: Objects, words: list[str]) -> None:
    with pytest.raises(InvalidInputError, match="cannot keep artifacts and revisions") as caught:
        object_store.require(objects, shown="it")
    assert len(caught.value.problems) == len(words)
    for word in words:
        assert word in str(caught.value)


def test_a_filesystem_that_shows_what_is_not_finished_is_refused() -> None:
    """One that fsspec ships, which nobody wrote for this test."""
    filesystem = fsspec.filesystem("memory", skip_instance_cache=True)
    objects = Filesystem(filesystem, prefix="/unfinished", shown="it")
    objects.mark()
    with pytest.raises(InvalidInputError, match="shows an upload that is not finished"):
        object_store.require(objects, shown="it")


def test_a_store_that_is_gone_is_not_taken_for_an_empty_one() -> None:
    objects = Filesystem(fsspec.filesystem("memory", skip_instance_cache=True), prefix="/gone", shown="the store")
    objects.mark()
    objects.check()
    assert (objects.size("a"), objects.open("a"), objects.names("b")) == (None, None, frozenset())
    objects.remove("store")
    for ask in (objects.size, objects.open, objects.names):
        with pytest.raises(UnavailableError, match="the store is gone"):
            ask("a")
    with pytest.raises(UnavailableError, match="the store is gone"):
        objects.check()


def test_more_uploads_than_memory_allows_are_asked_to_come_again() -> None:
    objects = Filesystem(fsspec.filesystem("memory"), prefix="/crowd", shown="it")
    held = [objects.writing(str(number)) for number in range(UPLOADS_AT_ONCE)]
    for one in held:
        one.__enter__()
    with pytest.raises(UnavailableError, match="8 uploads are under way"), objects.writing("one more"):
        pass
    held[0].__exit__(None, None, None)
    with objects.writing("one more"):
        pass
