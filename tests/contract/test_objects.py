"""What `artifacts.objects` promises, kept in memory, on a volume and by a real S3 server."""

from __future__ import annotations

import gc
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from scheduler.artifacts.objects import Objects
from tests.contract.conftest import Place


def _read(objects: Objects, name: str) -> bytes | None:
    reader = objects.open(name)
    if reader is None:
        return None
    with closing(reader):
        return reader.read(reader.size)


def _write(objects: Objects, name: str, content: bytes) -> None:
    with objects.writing(name) as writer:
        writer.write(content)
        writer.finish()


def test_nothing_stands_under_a_new_name(objects: Objects) -> None:
    assert (objects.size("a/b"), objects.open("a/b"), objects.names("a")) == (None, None, frozenset())


def test_content_is_read_back_in_the_blocks_that_are_asked_for(objects: Objects) -> None:
    _write(objects, "a/b", b"0123456789")
    reader = objects.open("a/b")
    assert reader
    with closing(reader):
        assert (reader.size, reader.read(4), reader.read(4), reader.read(4), reader.read(4)) == (
            10,
            b"0123",
            b"4567",
            b"89",
            b"",
        )


def test_more_than_one_part_of_an_upload_is_read_back(objects: Objects) -> None:
    content = os.urandom(12_000_000)
    with objects.writing("large") as writer:
        for start in range(0, len(content), 1 << 20):
            writer.write(content[start : start + (1 << 20)])
        writer.finish()
    assert objects.size("large") == len(content)
    assert _read(objects, "large") == content


@pytest.mark.parametrize("size", [0, 10, 11_000_000])
def test_what_is_not_finished_is_seen_by_nobody_and_leaves_nothing(objects: Objects, place: Place, size: int) -> None:
    with objects.writing("a/b") as writer:
        writer.write(bytes(size))
        assert (objects.size("a/b"), objects.open("a/b"), objects.names("a")) == (None, None, frozenset())
        assert place.opened().size("a/b") is None
    assert (objects.size("a/b"), place.everything()) == (None, [])


def test_what_was_not_finished_does_not_appear_when_its_writer_is_forgotten(objects: Objects) -> None:
    """A file of fsspec finishes itself when it is collected as garbage."""
    with objects.writing("a") as writer:
        writer.write(b"half")
    del writer
    gc.collect()
    assert objects.size("a") is None


def test_finished_content_takes_the_place_of_what_stood_there(objects: Objects, place: Place) -> None:
    _write(objects, "a", b"first")
    _write(objects, "a", b"second, and longer")
    assert (_read(objects, "a"), place.everything()) == (b"second, and longer", ["a"])


def test_empty_content_is_content(objects: Objects) -> None:
    _write(objects, "empty", b"")
    assert (objects.size("empty"), _read(objects, "empty")) == (0, b"")
    assert objects.create("created", b"")
    assert (objects.size("created"), _read(objects, "created")) == (0, b"")


def test_a_name_is_created_once(objects: Objects, place: Place) -> None:
    assert objects.create("a/b", b"first") is True
    assert objects.create("a/b", b"second") is False
    assert place.opened().create("a/b", b"third") is False
    assert (_read(objects, "a/b"), place.everything()) == (b"first", ["a/b"])


def test_one_of_many_that_create_at_once_wins(place: Place) -> None:
    programs = [place.opened() for _ in range(4)]
    barrier = threading.Barrier(8)

    def create(number: int) -> bool:
        barrier.wait(30)
        return programs[number % 4].create("a", bytes([number]))

    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            won = list(pool.map(create, range(8)))
            assert sum(won) == 1
            assert place.content("a") == bytes([won.index(True)])
            programs[0].remove("a")


def test_folders_are_listed_with_their_files_and_folders_and_nothing_else(objects: Objects, place: Place) -> None:
    for name in ("one/a", "one/b", "one/two/c", "other/d", "one-more/e"):
        objects.create(name, b"x")
    other = place.opened()
    assert other.names("one") == {"a", "b", "two"}
    assert other.names("one/two") == {"c"}
    assert other.names("nothing") == frozenset()
    objects.create("one/f", b"x")
    assert other.names("one") == {"a", "b", "two", "f"}


def test_many_names_are_listed(objects: Objects) -> None:
    """More than S3 answers at once."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: objects.create(f"many/{number}.json", b"{}"), range(1_050)))
    assert len(objects.names("many")) == 1_050


def test_content_moves(objects: Objects) -> None:
    _write(objects, "a/b", b"content")
    _write(objects, "c/d", b"earlier")
    objects.move("a/b", "c/d")
    assert (objects.size("a/b"), _read(objects, "c/d")) == (None, b"content")
    objects.move("a/b", "c/d")
    assert _read(objects, "c/d") == b"content"


def test_what_is_removed_is_gone_and_may_be_removed_again(objects: Objects) -> None:
    objects.create("a/b", b"x")
    objects.remove("a/b")
    objects.remove("a/b")
    assert (objects.size("a/b"), objects.names("a")) == (None, frozenset())


def test_a_reader_is_not_disturbed_by_equal_content(objects: Objects) -> None:
    content = os.urandom(12_000_000)
    _write(objects, "a", content)
    reader = objects.open("a")
    assert reader
    with closing(reader):
        first = reader.read(1 << 20)
        _write(objects, "a", content)
        assert first + reader.read(len(content)) == content


def test_what_can_be_used_says_so(objects: Objects) -> None:
    objects.check()
