"""The artifact store and the revisions, on their volume, behind the real Service."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from scheduler import names
from scheduler.artifacts import digest
from scheduler.artifacts.client import ModelopsClient
from scheduler.cli.configuration import Login
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.demo.installation import ENVIRONMENT, NAMESPACE, RELEASE, Platform
from scheduler.errors import DigestMismatchError, InvalidInputError, NotFoundError, UnavailableError
from tests.e2e import callers as callers_
from tests.e2e.callers import Callers
from tests.e2e.recipes import Recipe

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

DEPLOYMENT: Final = f"{RELEASE}-modelops-server"
RECIPE: Final = Recipe(name="kept")
MEGABYTES: Final = 20 * 10**6


@pytest.fixture(scope="module")
def callers(platform: Platform) -> Iterator[Callers]:
    with callers_.present(platform) as found:
        yield found


@pytest.fixture
def seed() -> random.Random:
    """Content that no other run has put there."""
    return random.Random(time.time_ns())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _file(folder: Path, content: bytes) -> Path:
    path = folder / "artifact"
    path.write_bytes(content)
    return path


def _on_the_volume(platform: Platform, *arguments: str) -> str:
    line = ("-n", NAMESPACE, "exec", f"deployment/{DEPLOYMENT}", "--", "find", "/var/lib/modelops", *arguments)
    return platform.kubectl(*line).decode()


def test_content_that_is_not_what_its_digest_says_leaves_nothing(
    store: ModelopsClient, platform: Platform, seed: random.Random, tmp_path: Path
) -> None:
    content, promised = seed.randbytes(3_000_000), _sha256(seed.randbytes(10))
    with pytest.raises(DigestMismatchError, match=_sha256(content)):
        store.upload(_file(tmp_path, content), sha256=promised)
    assert not store.has_artifact(promised)
    assert not store.has_artifact(_sha256(content))
    assert _on_the_volume(platform, "-path", "*/parts/*") == ""
    assert _on_the_volume(platform, "-name", promised, "-o", "-name", _sha256(content)) == ""


def test_an_upload_that_breaks_off_leaves_nothing(login: Login, platform: Platform, seed: random.Random) -> None:
    content = seed.randbytes(3_000_000)

    def broken() -> Iterator[bytes]:
        yield content[:2_000_000]
        raise ConnectionError("the sender died")

    with callers_.http(login.server_url, login.token) as client, pytest.raises(ConnectionError):
        client.put(f"/v1/artifacts/{_sha256(content)}", content=broken())
    deadline = time.monotonic() + 20
    while _on_the_volume(platform, "-path", "*/parts/*"):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert _on_the_volume(platform, "-name", _sha256(content)) == ""


@pytest.mark.parametrize("size", [0, 1, digest.BLOCK - 1, digest.BLOCK, digest.BLOCK + 1, MEGABYTES])
def test_what_went_in_comes_out_whatever_its_size(
    store: ModelopsClient, seed: random.Random, tmp_path: Path, size: int
) -> None:
    content = seed.randbytes(size)
    sha256, told = _sha256(content), list[int]()
    store.upload(_file(tmp_path, content), sha256=sha256, tell=told.append)
    assert sum(told) == size
    assert not store.upload(_file(tmp_path, content), sha256=sha256), "there already"
    store.download(sha256, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == content


def _get(login: Login, token: str, sha256: str) -> httpx.Response:
    with callers_.http(login.server_url, token) as client:
        return client.get(f"/v1/artifacts/{sha256}")


def test_a_job_reads_what_its_own_environment_was_granted(
    store: ModelopsClient, login: Login, callers: Callers, seed: random.Random, tmp_path: Path
) -> None:
    content = seed.randbytes(1000)
    sha256 = _sha256(content)
    store.upload(_file(tmp_path, content), sha256=sha256)
    token = callers.token(names.SCORING_ACCOUNT, ENVIRONMENT, audience=names.ARTIFACTS_AUDIENCE)
    elsewhere = callers.token("default", "default", audience=names.ARTIFACTS_AUDIENCE)
    assert [_get(login, who, sha256).status_code for who in (token, elsewhere)] == [404, 404]
    store.grant(sha256, ENVIRONMENT)
    assert _get(login, token, sha256).content == content
    assert _get(login, elsewhere, sha256).status_code == 404
    with pytest.raises(InvalidInputError, match="'default' is not an environment of this platform"):
        store.grant(sha256, "default")
    with pytest.raises(NotFoundError):
        store.grant(_sha256(b"something that is not there"), ENVIRONMENT)


def _replace_pod(platform: Platform, cluster: KubernetesCluster) -> None:
    """Delete the server's pod; another one serves afterwards."""
    labels = {"app.kubernetes.io/name": "modelops-server", "app.kubernetes.io/instance": RELEASE}
    before = {pod["metadata"]["uid"] for pod in cluster.list("Pod", NAMESPACE, labels=labels)}
    platform.kubectl(
        "-n", NAMESPACE, "delete", "pod", "-l", ",".join(f"{key}={value}" for key, value in labels.items())
    )
    platform.kubectl("-n", NAMESPACE, "rollout", "status", f"deployment/{DEPLOYMENT}", "--timeout=90s")
    after = {pod["metadata"]["uid"] for pod in cluster.list("Pod", NAMESPACE, labels=labels)}
    assert after
    assert not before & after


def test_everything_outlives_the_pod(
    store: ModelopsClient, platform: Platform, cluster: KubernetesCluster, seed: random.Random, tmp_path: Path
) -> None:
    content = seed.randbytes(100_000)
    sha256 = _sha256(content)
    store.upload(_file(tmp_path, content), sha256=sha256)
    store.upload(_file(tmp_path, RECIPE.artifact), sha256=RECIPE.sha256)
    documents = RECIPE.documents()
    documents[0]["metadata"]["description"] = sha256
    revision, is_new = store.deploy(RECIPE.name, documents)
    assert is_new
    _replace_pod(platform, cluster)
    _wait_for(store)
    again, is_new = store.deploy(RECIPE.name, documents[::-1])
    assert (again.revision, again.digest, is_new) == (revision.revision, revision.digest, False)
    assert not store.upload(_file(tmp_path, content), sha256=sha256)
    store.download(sha256, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == content
    documents[0]["metadata"]["description"] += " again"
    assert store.deploy(RECIPE.name, documents)[0].revision == revision.revision + 1
    assert [one.revision for one in store.revisions(RECIPE.name)][-2:] == [revision.revision, revision.revision + 1]


def _wait_for(store: ModelopsClient) -> None:
    """The Service knows the new pod a moment after it is ready."""
    deadline = time.monotonic() + 20
    while True:
        try:
            store.pipelines()
        except UnavailableError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        else:
            return


def test_a_revision_without_its_model_is_refused(store: ModelopsClient, seed: random.Random) -> None:
    missing = Recipe(name="without-model", artifact=RECIPE.artifact + b"# " + seed.randbytes(8).hex().encode())
    with pytest.raises(InvalidInputError, match=missing.sha256):
        store.deploy(missing.name, missing.documents())
    with pytest.raises(NotFoundError):
        store.revisions(missing.name)
