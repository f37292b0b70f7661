"""A program that is killed while it uploads leaves nothing that looks like an artifact; what it holds is bounded."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

import pytest

from scheduler.artifacts.store import ArtifactStore
from tests.contract.conftest import LASTING, Place

pytestmark = pytest.mark.parametrize("place", LASTING, indirect=True)

_ROOT: Final = Path(__file__).parents[2]
KILLED: Final = """\
import json, os, signal, sys
from pathlib import Path
from scheduler.artifacts import storage
from scheduler.artifacts.store import ArtifactStore

objects = storage.open_(storage.Storage(**json.loads(sys.argv[1])), folder=Path(sys.argv[2]))
store = ArtifactStore(objects, most_bytes=1 << 40)
with store.part(sys.argv[3]) as part:
    for _ in range(12):
        part.write(bytes(1 << 20))
    os.kill(os.getpid(), signal.SIGKILL)
"""
LARGE: Final = """\
import json, resource, sys
from pathlib import Path
from scheduler.artifacts import storage
from scheduler.artifacts.store import ArtifactStore

objects = storage.open_(storage.Storage(**json.loads(sys.argv[1])), folder=Path(sys.argv[2]))
store = ArtifactStore(objects, most_bytes=1 << 40)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
store.put(sys.argv[3], (bytes(1 << 20) for _ in range(200)))
size = sum(len(block) for block in store.read(sys.argv[3]).blocks)
print(size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def _run(place: Place, script: str, sha256: str) -> subprocess.CompletedProcess[bytes]:
    arguments = [json.dumps(asdict(place.storage)), str(place.folder), sha256]
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, timeout=100, check=False, cwd=_ROOT
    )


def test_a_killed_upload_leaves_no_artifact_and_may_be_done_again(place: Place) -> None:
    content = bytes(12 << 20)
    sha256 = hashlib.sha256(content).hexdigest()
    killed = _run(place, KILLED, sha256)
    assert killed.returncode == -9, killed.stderr.decode()
    store = ArtifactStore(place.opened(), most_bytes=1 << 40)
    assert not store.has(sha256)
    assert [name for name in place.everything() if "parts/" not in name] == []
    assert store.put(sha256, [content]) is True
    assert b"".join(store.read(sha256).blocks) == content


def test_an_artifact_of_any_size_goes_through_bounded_memory(place: Place) -> None:
    digest = hashlib.sha256()
    for _ in range(200):
        digest.update(bytes(1 << 20))
    done = _run(place, LARGE, digest.hexdigest())
    assert done.returncode == 0, done.stderr.decode()
    size, kibibytes = map(int, done.stdout.split())
    assert size == 200 << 20
    assert kibibytes < 60 << 10, f"{kibibytes >> 10} MiB more for an artifact of 200 MiB"
