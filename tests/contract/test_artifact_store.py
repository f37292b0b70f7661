"""What the artifact store promises, wherever its artifacts are kept."""

import hashlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from scheduler.artifacts import digest
from scheduler.artifacts.objects import Objects
from scheduler.artifacts.store import ArtifactStore
from scheduler.errors import DigestMismatchError, InvalidInputError, NotFoundError, TooLargeError
from tests.contract.conftest import Place

CONTENT = b"model" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def store(objects: Objects) -> ArtifactStore:
    return ArtifactStore(objects, most_bytes=20 * digest.BLOCK)


def _name(sha256: str) -> str:
    return f"artifacts/{sha256[:2]}/{sha256}"


def test_content_is_read_back_as_it_was_put(store: ArtifactStore) -> None:
    assert store.put(SHA256, [CONTENT[:10], CONTENT[10:]]) is True
    content = store.read(SHA256)
    assert (content.size, b"".join(content.blocks)) == (len(CONTENT), CONTENT)
    assert store.has(SHA256)


def test_the_same_content_again_is_not_new(store: ArtifactStore) -> None:
    store.put(SHA256, [CONTENT])
    assert store.put(SHA256, [CONTENT]) is False


def test_content_of_another_digest_is_refused_and_nothing_is_kept(store: ArtifactStore, place: Place) -> None:
    with pytest.raises(DigestMismatchError, match=f"not {SHA256}"):
        store.put(SHA256, [CONTENT, b"!"])
    assert not store.has(SHA256)
    assert place.everything() == []


def test_a_refused_put_leaves_what_is_there(store: ArtifactStore) -> None:
    store.put(SHA256, [CONTENT])
    with pytest.raises(DigestMismatchError):
        store.put(SHA256, [b"other"])
    assert b"".join(store.read(SHA256).blocks) == CONTENT


def test_empty_content_is_an_artifact_too(store: ArtifactStore) -> None:
    empty = hashlib.sha256(b"").hexdigest()
    store.put(empty, [])
    assert list(store.read(empty).blocks) == []


def test_more_than_the_limit_is_refused_while_it_comes(store: ArtifactStore, place: Place) -> None:
    endless = iter(lambda: b"x" * digest.BLOCK, None)
    with pytest.raises(TooLargeError):
        store.put(SHA256, endless)
    assert place.everything() == []


@pytest.mark.parametrize("name", ["", "..", "a" * 63, "A" * 64, "../" + "a" * 61, "a" * 64 + "\n"])
def test_what_is_no_digest_never_names_a_file(store: ArtifactStore, name: str) -> None:
    with pytest.raises(InvalidInputError):
        store.has(name)


def test_an_absent_artifact_is_not_found(store: ArtifactStore) -> None:
    with pytest.raises(NotFoundError):
        store.read(SHA256)
    with pytest.raises(NotFoundError):
        store.size(SHA256)


@pytest.mark.parametrize("where", [0, 2 * digest.BLOCK, -1])
def test_a_damaged_artifact_is_never_read_in_full_and_is_put_aside(
    store: ArtifactStore, place: Place, where: int
) -> None:
    content = bytearray(os.urandom(2 * digest.BLOCK + 10))
    sha256 = hashlib.sha256(content).hexdigest()
    store.put(sha256, [bytes(content)])
    content[where] ^= 1
    place.damage(_name(sha256), bytes(content))
    read = bytearray()
    blocks = store.read(sha256).blocks
    with pytest.raises(DigestMismatchError, match="damaged in the store"):
        read.extend(byte for block in blocks for byte in block)
    assert len(read) < len(content)
    assert not store.has(sha256)
    assert place.everything() == [f"damaged/{sha256}"]
    with pytest.raises(DigestMismatchError, match="upload it again"):
        store.read(sha256)


def test_a_truncated_artifact_is_damaged(store: ArtifactStore, place: Place) -> None:
    store.put(SHA256, [CONTENT])
    place.damage(_name(SHA256), CONTENT[:100])
    with pytest.raises(DigestMismatchError):
        list(store.read(SHA256).blocks)


def test_a_put_heals_a_damaged_artifact(store: ArtifactStore, place: Place) -> None:
    store.put(SHA256, [CONTENT])
    place.damage(_name(SHA256), b"rot")
    store.put(SHA256, [CONTENT])
    assert b"".join(store.read(SHA256).blocks) == CONTENT


def test_two_puts_at_once_both_succeed(store: ArtifactStore, place: Place) -> None:
    barrier = threading.Barrier(8)

    def blocks() -> Iterator[bytes]:
        yield CONTENT[:100]
        barrier.wait(10)
        yield CONTENT[100:]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: store.put(SHA256, blocks()), range(8)))
    assert b"".join(store.read(SHA256).blocks) == CONTENT
    assert place.everything() == [_name(SHA256)]


def test_a_reader_is_not_disturbed_by_a_put(store: ArtifactStore) -> None:
    content = os.urandom(3 * digest.BLOCK)
    sha256 = hashlib.sha256(content).hexdigest()
    store.put(sha256, [content])
    blocks = store.read(sha256).blocks
    first = next(blocks)
    store.put(sha256, [content])
    assert first + b"".join(blocks) == content


def test_an_artifact_is_granted_to_one_environment_only(store: ArtifactStore) -> None:
    store.put(SHA256, [CONTENT])
    store.grant(SHA256, "staging")
    store.grant(SHA256, "staging")
    assert store.is_granted(SHA256, "staging")
    assert not store.is_granted(SHA256, "production")


def test_what_is_not_there_is_not_granted(store: ArtifactStore) -> None:
    with pytest.raises(NotFoundError):
        store.grant(SHA256, "staging")
