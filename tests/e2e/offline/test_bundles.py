"""`modelops bundle create|load`: all of a platform in one archive, and from there in another registry."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from scheduler.cli import exit_codes
from scheduler.demo.installation import NAMESPACE, RELEASE
from scheduler.errors import DigestMismatchError, InvalidInputError, SchedulerError
from scheduler.images.connection import Connection
from scheduler.images.http_store import HttpStore
from tests import real_cluster
from tests.contract import own_registry
from tests.e2e import beside
from tests.e2e.deployed import Deployed
from tests.e2e.offline.loaded import Site, digest_of
from tests.e2e.program import Modelops

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900), pytest.mark.runs_last, real_cluster.LOCAL_ONLY]


def test_a_bundle_is_made_of_what_the_platform_runs_and_is_the_same_each_time(
    archive: Path, site: Site, deployed: Deployed, modelops: Modelops
) -> None:
    running = {**deployed.images, "container-tools": beside.tools_of(deployed.values)}
    assert site.digests == {name: digest_of(reference) for name, reference in running.items()}

    again = archive.with_name("again.tar")
    made = modelops.json("bundle", "create", str(again), "--release", RELEASE, "--namespace", NAMESPACE)

    with archive.open("rb") as first, again.open("rb") as second:
        assert hashlib.file_digest(first, "sha256").digest() == hashlib.file_digest(second, "sha256").digest()
    assert made["images"] == site.digests
    again.unlink()


def test_the_registry_of_the_site_holds_the_same_digests_and_is_sent_nothing_twice(
    archive: Path, site: Site, modelops: Modelops
) -> None:
    connection = Connection(site.registry)
    store = HttpStore(connection)
    for name, digest in site.digests.items():
        content = store.manifest(f"modelops/{name}", digest).content
        assert f"sha256:{hashlib.sha256(content).hexdigest()}" == digest
    connection.close()

    again = modelops("bundle", "load", str(archive), site.registry)

    assert again.returncode == 0, again.stderr
    assert {line.partition(": ")[2] for line in again.stderr.splitlines()} == {"0.0 MB sent"}


@contextmanager
def _damaged(archive: Path, *, is_cut: bool) -> Iterator[str]:
    """The archive cut in its last tenth, or with one wrong bit; in which part. As it was afterwards."""
    if is_cut:
        size = archive.stat().st_size
        with archive.open("r+b") as file:
            file.seek(size - size // 10)
            rest = file.read()
            file.truncate(size - size // 10)
        yield archive.name
        with archive.open("ab") as file:
            file.write(rest)
        return
    with tarfile.open(archive) as opened:
        largest = max(opened.getmembers(), key=lambda member: member.size)
    place = largest.offset_data + largest.size // 2
    _flip(archive, place)
    yield largest.name
    _flip(archive, place)


def _flip(archive: Path, place: int) -> None:
    with archive.open("r+b") as file:
        file.seek(place)
        (byte,) = file.read(1)
        file.seek(place)
        file.write(bytes([byte ^ 1]))


@pytest.mark.parametrize(("is_cut", "error"), [(True, InvalidInputError), (False, DigestMismatchError)])
def test_of_a_damaged_bundle_nothing_is_pushed(
    *, archive: Path, modelops: Modelops, tmp_path: Path, is_cut: bool, error: type[SchedulerError]
) -> None:
    charts = tmp_path / "charts"
    with own_registry.running(tmp_path) as empty, _damaged(archive, is_cut=is_cut) as part:
        done = modelops("bundle", "load", str(archive), empty, "--charts", str(charts))
        held = httpx.get(f"http://{empty}/v2/_catalog", trust_env=False).json()

    assert done.returncode == exit_codes.OF_ERROR[error], done.stderr
    assert part in done.stderr
    assert held == {"repositories": []}
    assert not charts.exists()
