"""An IR from a git server: a real one, served by git itself on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from scheduler.errors import InvalidInputError, NotFoundError, TooLargeError, UnavailableError
from scheduler.jobs.git_source import GitServer
from scheduler.jobs.order import GitPlace
from tests.unit import world

EXAMPLE = Path(__file__).parents[3] / "ir-schemas" / "examples" / "valid" / "own-channels"
pytestmark = pytest.mark.timeout(60)


def git(folder: Path, *arguments: str) -> str:
    env = {
        **os.environ,
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.org",
        "GIT_CONFIG_GLOBAL": "/dev/null",
    }
    done = subprocess.run(["git", *arguments], cwd=folder, env=env, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of repositories: the example IR at the top, and below `deep/ir`, in a repository with traps."""
    folder = tmp_path_factory.mktemp("git")
    repository = folder / "team" / "meters.git"
    repository.mkdir(parents=True)
    git(repository, "init", "--quiet", "--initial-branch=main", ".")
    _ = world.LOADED  # the digests of its models are known
    for name, place in (("main", repository), ("deep", repository / "deep" / "ir")):
        if name == "deep":
            git(repository, "checkout", "--quiet", "-b", "deep")
            git(repository, "rm", "-r", "--quiet", ".")
        place.mkdir(parents=True, exist_ok=True)
        write_ir(place)
        if name == "deep":
            (place / "passwd.yaml").symlink_to("/etc/passwd")
            (repository / "other.yaml").write_text("kind: Nonsense\n")
        git(repository, "add", ".")
        git(repository, "commit", "--quiet", "-m", name)
    git(repository, "checkout", "--quiet", "-b", "big", "main")
    (repository / "big.bin").write_bytes(os.urandom(3 * 2**20))
    (repository / "big.yaml").write_text("# " + "x" * (5 * 2**20))
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "big")
    git(repository, "checkout", "--quiet", "main")
    git(repository, "tag", "v1")
    return folder


def write_ir(place: Path) -> None:
    import yaml

    (place / "ir.yaml").write_text(yaml.safe_dump_all([dict(document) for document in world.DOCUMENTS]))


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[GitServer]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = ["daemon", "--export-all", f"--base-path={root}", "--listen=127.0.0.1", f"--port={port}", "--reuseaddr"]
    program = str(Path(subprocess.check_output(["git", "--exec-path"], text=True).strip()) / "git-daemon")
    process = subprocess.Popen([program, *arguments[1:]], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            break
        time.sleep(0.02)
    yield GitServer(base_url=f"git://127.0.0.1:{port}/", seconds=20)
    process.terminate()
    process.wait(10)


def place(ref: str = "main", **more: str) -> GitPlace:
    return GitPlace(path=more.pop("path", "team/meters.git"), ref=ref, **more)


def test_a_branch_becomes_a_commit(server: GitServer, root: Path) -> None:
    loaded, commit = server.load(place())

    assert commit == git(root / "team" / "meters.git", "rev-parse", "main")
    assert loaded.digest == world.LOADED.digest


@pytest.mark.parametrize("ref", ["v1", "refs/heads/main"])
def test_tags_and_full_names_are_refs_too(server: GitServer, ref: str) -> None:
    assert server.load(place(ref))[0].pipeline.name == world.PIPELINE


def test_a_folder_is_taken_without_what_lies_beside_it_and_without_links(server: GitServer) -> None:
    loaded, _ = server.load(place("deep", folder="deep/ir"))

    assert loaded.digest == world.LOADED.digest


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (place("nowhere"), "has no ref 'nowhere'"),
        (place(path="team/nothing.git"), "has no repository"),
        (place(folder="nowhere"), "no folder 'nowhere'"),
    ],
)
def test_what_is_not_there_is_named(server: GitServer, where: GitPlace, words: str) -> None:
    with pytest.raises(NotFoundError, match=words):
        server.load(where)


@pytest.mark.parametrize(
    ("where", "pointer"),
    [
        (place("--upload-pack=touch /tmp/x"), "/git/ref"),
        (place("-x"), "/git/ref"),
        (place("a..b"), "/git/ref"),
        (place("a b"), "/git/ref"),
        (place(""), "/git/ref"),
        (place(path="../secret"), "/git/path"),
        (place(path="-oProxyCommand=x"), "/git/path"),
        (place(path="/etc"), "/git/path"),
        (place(path="a/../b"), "/git/path"),
        (place(path="a\nb"), "/git/path"),
        (place(path="host:repository"), "/git/path"),
        (place(folder="../up"), "/git/folder"),
        (place(folder="-rf"), "/git/folder"),
    ],
)
def test_names_that_are_options_or_ways_out_are_refused(server: GitServer, where: GitPlace, pointer: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        server.load(where)

    assert [problem.pointer for problem in caught.value.problems] == [pointer]


@pytest.mark.parametrize("url", ["file://{root}", "ext::sh -c touch% /tmp/x", "ssh://127.0.0.1"])
def test_other_protocols_are_not_spoken(url: str, root: Path) -> None:
    with pytest.raises((NotFoundError, UnavailableError), match=r"not allowed|could not"):
        GitServer(base_url=url.format(root=root), seconds=5).load(place())


def test_a_platform_without_a_git_server_says_so() -> None:
    with pytest.raises(InvalidInputError, match="no git server"):
        GitServer(base_url="").load(place())


def test_a_server_that_does_not_answer_is_given_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        started = time.monotonic()
        with pytest.raises(UnavailableError, match="too long"):
            GitServer(base_url=f"git://127.0.0.1:{silent.getsockname()[1]}", seconds=1).load(place())

    assert time.monotonic() - started < 5


def test_too_large_is_refused(server: GitServer) -> None:
    with pytest.raises(TooLargeError, match="bytes"):
        server.load(place("big"))
    with pytest.raises(TooLargeError, match="repository has more"):
        GitServer(base_url=server.base_url, repository_bytes=2**20).load(place("big"))


def test_an_ir_with_faults_tells_them_with_file_and_line(server: GitServer) -> None:
    with pytest.raises(InvalidInputError) as caught:
        server.load(place("deep"))

    assert any(problem.file == "other.yaml" for problem in caught.value.problems)


def test_git_is_there() -> None:
    assert shutil.which("git")
