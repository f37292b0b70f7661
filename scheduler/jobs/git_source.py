"""An IR from the git server: fetched with the git program, read from its objects, never checked out.

What is fetched is a stranger's: no hook, filter, submodule or symbolic link of it is followed, and its size and time
are limited. No credential is sent or asked for. The environment's certificates hold for it, and its proxies unless the
server is at a private address.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from scheduler import rest
from scheduler.errors import InvalidInputError, NotFoundError, ProgramError, TooLargeError, UnavailableError
from scheduler.ir import load
from scheduler.ir.load import Loaded
from scheduler.ir.not_built import MODEL_TYPES
from scheduler.jobs.order import GitPlace
from scheduler.model.problem import Problem

_SEGMENTS: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_REF: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_PROTOCOLS: Final = "http:https:git"
_CERTIFICATES: Final = ("GIT_SSL_CAINFO",)
_PROXIES: Final = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy")
"""In both spellings, as the git program takes `http_proxy` in lower case alone."""
_SUFFIXES: Final = (".yaml", ".yml", ".json")
_SETTINGS: Final = (
    "protocol.version=2",
    "http.followRedirects=false",
    "core.hooksPath=/dev/null",
    "credential.helper=",
    "fetch.fsckObjects=true",
    "gc.auto=0",
    "submodule.recurse=false",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GitServer:
    """Repositories below one base URL."""

    base_url: str
    """`http`, `https` or `git` (the charts allow the first two); empty: there is none."""
    seconds: float = 30.0
    """For everything that one order needs."""
    repository_bytes: int = 64 * 2**20
    """What a shallow fetch may bring."""
    ir_bytes: int = 4 * 2**20

    def load(self, place: GitPlace, *, model_types: Collection[str] | None = MODEL_TYPES) -> tuple[Loaded, str]:
        """The IR below the place's folder, and the commit that its ref stands for.

        InvalidInputError for a place that is no place or an IR with faults, NotFoundError for what is not there,
        UnavailableError when the server does not answer in time, TooLargeError for more than the limits.
        """
        _check(place, self.base_url)
        with tempfile.TemporaryDirectory(prefix="modelops-git-") as folder:
            git = _Git(
                Path(folder),
                passed=_passed(os.environ, self.base_url),
                deadline=time.monotonic() + self.seconds,
                limit=self.repository_bytes,
            )
            git.run("init", "--quiet", "--bare", ".")
            url = f"{self.base_url.rstrip('/')}/{place.path}"
            git.fetch(url, place)
            commit = git.run("rev-parse", "--verify", "--end-of-options", "FETCH_HEAD^{commit}").decode().strip()
            target = Path(folder) / "ir"
            self._extract(git, commit, place, target)
            return load.from_folder(target, model_types=model_types), commit

    def _extract(self, git: _Git, commit: str, place: GitPlace, target: Path) -> None:
        """Write the documents of the folder, and nothing else of the repository, below `target`."""
        tree = f"{commit}:{place.folder}" if place.folder else commit
        try:
            found = list(_documents(git.run("ls-tree", "-r", "-l", "-z", tree)))
        except ProgramError as error:
            raise NotFoundError(f"repository '{place.path}' has no folder '{place.folder}'") from error
        if not found:
            raise NotFoundError(f"there is no YAML or JSON file in '{place.path}', folder '{place.folder}'")
        total = sum(size for _, _, size in found)
        if total > self.ir_bytes:
            raise TooLargeError(f"the IR in '{place.path}' has {total:,} bytes; at most {self.ir_bytes:,} are accepted")
        for name, blob, _ in found:
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(git.run("cat-file", "blob", blob))


class _Git:
    """The git program in one bare repository, with nothing of this process's environment but what is passed."""

    def __init__(self, folder: Path, *, passed: Mapping[str, str], deadline: float, limit: int) -> None:
        self._folder = folder
        self._passed = passed
        self._deadline = deadline
        self._limit = limit

    def fetch(self, url: str, place: GitPlace) -> None:
        """One commit without its history. `--` and the checks before keep names from being options."""
        try:
            self.run("fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--", url, place.ref)
        except ProgramError as error:
            words = error.output.lower()
            if "couldn't find remote ref" in words or "not our ref" in words:
                raise NotFoundError(f"repository '{place.path}' has no ref '{place.ref}'") from error
            if "not found" in words or "not exported" in words or "could not read username" in words:
                raise NotFoundError(f"the git server has no repository '{place.path}'") from error
            raise UnavailableError(f"could not fetch '{place.path}' from the git server: {error.output}") from error

    def run(self, *arguments: str) -> bytes:
        """What it writes; ProgramError with its words, UnavailableError after the time, TooLargeError for too much."""
        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(
                ["git", *settings, *arguments],
                cwd=self._folder,
                env={**_environment(self._folder), **self._passed},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )
            with _ended(process):
                self._wait(process)
            for stream in (output, errors):
                stream.seek(0)
            if process.returncode != 0:
                words = errors.read(2000).decode(errors="replace").strip()
                raise ProgramError(f"git {arguments[0]} failed: {words}", output=words)
            return output.read()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        while True:
            try:
                process.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                if time.monotonic() > self._deadline:
                    raise UnavailableError("the git server takes too long") from None
                self._check_size()
            else:
                self._check_size()
                return

    def _check_size(self) -> None:
        size = 0
        for path, _, files in os.walk(self._folder):
            for name in files:
                try:
                    size += (Path(path) / name).stat().st_size
                except FileNotFoundError:  # git renames its temporary files meanwhile
                    continue
        if size > self._limit:
            raise TooLargeError(f"the repository has more than {self._limit:,} bytes at this ref")


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Whatever happens, the program and what it started are gone afterwards."""
    try:
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 9)
            process.wait()


def _passed(environ: Mapping[str, str], url: str) -> Mapping[str, str]:
    """The variables by which a server at this URL is reached and trusted."""
    proxies = () if rest.is_private(urlsplit(url).hostname or "") else _PROXIES
    return {name: environ[name] for name in (*_CERTIFICATES, *proxies) if name in environ}


def _environment(folder: Path) -> Mapping[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": shutil.which("false") or "/bin/false",
        "GIT_ALLOW_PROTOCOL": _PROTOCOLS,
        "GIT_HTTP_LOW_SPEED_LIMIT": "1000",
        "GIT_HTTP_LOW_SPEED_TIME": "10",
    }


def _documents(listing: bytes) -> Iterator[tuple[PurePosixPath, str, int]]:
    """Name, blob and size of each regular file that may hold documents; anything else in the tree is left out."""
    for entry in listing.decode(errors="replace").split("\0"):
        facts, _, name = entry.partition("\t")
        if not name or not name.endswith(_SUFFIXES):
            continue
        mode, kind, blob, size = facts.split()
        path = PurePosixPath(name)
        if kind == "blob" and mode in {"100644", "100755"} and ".." not in path.parts and not path.is_absolute():
            yield path, blob, int(size)


def _check(place: GitPlace, base_url: str) -> None:
    problems: Sequence[Problem] = [
        *([] if base_url else [Problem(pointer="/git", message="this platform has no git server")]),
        *_named("path", place.path, _SEGMENTS, "names of letters, digits, '.', '_' and '-' between slashes"),
        *_named("ref", place.ref, _REF, "a branch, tag or commit of letters, digits, '.', '_', '-' and '/'"),
        *(_named("folder", place.folder, _SEGMENTS, "a path inside the repository") if place.folder else ()),
    ]
    if problems:
        raise InvalidInputError(problems)


def _named(field: str, text: str, pattern: re.Pattern[str], rule: str) -> Iterator[Problem]:
    if not pattern.fullmatch(text) or ".." in text:
        yield Problem(pointer=f"/git/{field}", message=f"'{text}' is not {rule}")
