"""The programs `build` and `compile` as a pod runs them, with buildah, Go and a registry that asks for a login."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from scheduler import digests
from scheduler.bundle import contents
from scheduler.devcluster import toolchain
from scheduler.images import logins
from scheduler.images.connection import Connection
from scheduler.images.http_store import HttpStore
from scheduler.images.references import split
from scheduler.images.store import Document
from scheduler.installation import __main__ as program
from scheduler.installation import outcome
from scheduler.installation.outcome import Outcome
from tests.contract import own_registry

pytestmark = [pytest.mark.registry, pytest.mark.timeout(300)]


@dataclass
class Pod:
    """A step's surroundings: the project, the registry, the files for results."""

    root: Path
    host: str
    path: str = ""
    """Of the registry, behind its host."""
    earlier: list[str] = field(default_factory=list)

    def run(self, name: str, step: dict[str, object], *options: str) -> tuple[int, str, Outcome]:
        """(exit code, result `reference`, result `outcome`)"""
        reference, said = self.root / "reference", self.root / "outcome"
        reference.unlink(missing_ok=True)
        words = [name, f"--step={json.dumps({'chart': 'small', **step})}", f"--registry={self.host}{self.path}"]
        words += [f"--result={reference}", f"--outcome={said}", f"--settings={self.root}", "--base=scratch", *options]
        code = program.main([*words, *self.earlier])
        found = outcome.parse(said.read_text())
        assert found is not None
        return code, reference.read_text() if reference.exists() else "", found

    def layers(self, reference: str) -> int:
        """How many layers the registry's image has."""
        host, repository, digest = split(reference)
        connection = Connection(host, logins=logins.load(self.root / "config.json"))
        document = HttpStore(connection).manifest(repository, digest)
        connection.close()
        _, blobs = contents.children(document.content)
        return len(blobs) - 1


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pod]:
    containerfile = tmp_path / "charts" / "subcharts" / "small" / "build" / "Containerfile"
    containerfile.parent.mkdir(parents=True)
    containerfile.write_text("FROM scratch\nCOPY scheduler /scheduler\n")
    (tmp_path / "scheduler").mkdir()
    (tmp_path / "scheduler" / "a.py").write_text("x = 1")
    with own_registry.running(tmp_path, htpasswd=own_registry.HTPASSWD) as host:
        docker = own_registry.docker_configuration(tmp_path, host)
        monkeypatch.setenv("MODELOPS_ASSETS", str(tmp_path))
        monkeypatch.setenv("REGISTRY_AUTH_FILE", str(docker))
        monkeypatch.setenv("STORAGE_DRIVER", "vfs")
        monkeypatch.setenv("CONTAINERS_STORAGE_CONF", str(_storage(tmp_path)))
        yield Pod(root=tmp_path, host=host)


def _storage(folder: Path) -> Path:
    file = folder / "storage.conf"
    places = f'runroot = "{folder}/run"\ngraphroot = "{folder}/root"\n'
    file.write_text(f'[storage]\ndriver = "vfs"\n{places}')
    return file


MANIFEST = "application/vnd.oci.image.manifest.v1+json"
STEP: dict[str, object] = {"name": "small", "containerfile": "build/Containerfile", "context": ["scheduler"]}
PATHS = pytest.mark.parametrize("path", ["", "/acme/team"])


@PATHS
def test_an_image_is_built_pushed_and_then_skipped(pod: Pod, path: str) -> None:
    pod.path = path
    code, reference, first = pod.run("build", STEP, f"--base={_pushed_base(pod)}")
    again, same, second = pod.run("build", STEP, f"--base={_pushed_base(pod)}")

    assert (code, first.state.value) == (0, "built")
    assert (again, second.state.value) == (0, "skipped")
    assert reference == same
    assert reference.startswith(f"{pod.host}{path}/modelops/small@sha256:")
    assert first.tag == second.tag
    assert pod.layers(reference) == 1


def _pushed_base(pod: Pod) -> str:
    """Any image of this registry: the builds here do not start from it, but its digest is part of their content."""
    connection = Connection(pod.host, logins=logins.load(pod.root / "config.json"))
    store = HttpStore(connection)
    config = b'{"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}'
    store.put_blob("base", digests.of(config), size=len(config), content=[config])
    media_type = "application/vnd.oci.image.config.v1+json"
    described = {"mediaType": media_type, "digest": digests.of(config), "size": len(config)}
    fields = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": []}
    store.put_manifest("base", "x", Document(content=json.dumps(fields).encode(), media_type=MANIFEST))
    connection.close()
    return f"{pod.host}/base:x"


@PATHS
def test_a_go_program_becomes_an_image_that_holds_it_alone(pod: Pod, path: str) -> None:
    pod.path = path
    module = pod.root / "pause"
    module.mkdir()
    for file in (toolchain.MODULES / "pause").iterdir():
        (module / file.name).write_bytes(file.read_bytes())
    step: dict[str, object] = {"name": "pause", "task": "compile-pause", "context": ["pause"]}

    code, reference, first = pod.run("compile", step)
    again, same, second = pod.run("compile", step)

    assert (code, first.state.value, pod.layers(reference)) == (0, "built", 1)
    assert reference.startswith(f"{pod.host}{path}/modelops/pause@sha256:")
    assert (again, second.state.value, same) == (0, "skipped", reference)


def test_a_step_that_fails_says_what_did_and_its_last_words(pod: Pod) -> None:
    containerfile = pod.root / "charts" / "subcharts" / "small" / "build" / "Containerfile"
    containerfile.write_text("FROM scratch\nCOPY nothing-of-this-name /\n")

    code, reference, said = pod.run("build", STEP, f"--base={_pushed_base(pod)}")

    assert (code, reference, said.state.value) == (1, "", "failed")
    assert "image small was not built" in said.message
    assert "nothing-of-this-name" in said.message


def test_a_missing_context_is_told_with_the_remedy(pod: Pod) -> None:
    code, _, said = pod.run("build", {**STEP, "context": ["nowhere"]}, f"--base={_pushed_base(pod)}")

    assert code == 1
    assert "context 'nowhere' is not there" in said.message
    assert "modelops images bootstrap" in said.message


def test_a_refused_login_is_told_with_the_remedy(pod: Pod) -> None:
    base = _pushed_base(pod)
    own_registry.docker_configuration(pod.root, pod.host, password="wrong")

    code, _, said = pod.run("build", STEP, f"--base={base}")

    assert code == 1
    assert "refuses the login of 'builder'" in said.message
    assert "global.build.pushSecret" in said.message
    assert "wrong" not in said.message


def test_a_registry_that_is_down_is_told_with_the_remedy(pod: Pod) -> None:
    pod.host = "127.0.0.1:9"

    code, _, said = pod.run("build", STEP, f"--base={pod.host}/base:x")

    assert code == 1
    assert "the registry 127.0.0.1:9 does not answer" in said.message
    assert "global.registry.push" in said.message


def test_a_step_without_time_is_told_with_the_remedy(pod: Pod) -> None:
    containerfile = pod.root / "charts" / "subcharts" / "small" / "build" / "Containerfile"
    base = _pushed_base(pod)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        containerfile.write_text(f"FROM scratch\nADD http://127.0.0.1:{silent.getsockname()[1]}/never /\n")
        code, _, said = pod.run("build", STEP, f"--base={base}", "--seconds=22")

    assert code == 1
    assert "global.build.stepMinutes" in said.message
