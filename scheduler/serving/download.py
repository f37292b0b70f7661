"""`python -m scheduler.serving.download`: fetch the models of a scoring service by digest, before it starts.

Runs in an init container, which alone holds the token for the artifact store: the process that runs the models never
does. Each file is hashed while it streams into `<sha256>.part` and gets its name only when the digest is right. The
store's outages are waited for, to a deadline. Ends with 0, or with 12 and a reason as the termination message.
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from scheduler import rest
from scheduler.errors import DigestMismatchError, InvalidInputError
from scheduler.model import job_json, problem_json
from scheduler.model.job import Reason
from scheduler.serving import config, model_file, termination
from scheduler.serving.faults import ModelRefusedError

log = logging.getLogger("scheduler.serving.download")

EXIT_FAILED: Final = 12
TOKEN_FILE: Final = Path("/var/run/secrets/modelops-artifacts/token")
_LONGEST_PAUSE_SECONDS: Final = 10.0
_LONGEST_ANSWER: Final = 300
_DAMAGED: Final = problem_json.TYPE_PREFIX + problem_json.KIND_OF[DigestMismatchError]
"""`type` of the store's answer when its file no longer has its digest."""
_CHUNK: Final = 1 << 20


class OutageError(Exception):
    """The store did not answer, or not properly; asking again may help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The artifact store as this environment may use it."""

    url: str
    token_file: Path = TOKEN_FILE
    """Read anew for every request: the kubelet renews it. Without a file, no token is sent."""

    def headers(self) -> Mapping[str, str]:
        if not self.token_file.exists():
            return {}
        return {"Authorization": f"Bearer {self.token_file.read_text().strip()}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Time as a value, so that tests need not wait."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def fetch(
    sha256: str, *, to: Path, store: Store, client: httpx.Client, seconds: float, clock: Clock | None = None
) -> None:
    """Have the artifact at `to`. One that is there already, whole, is not fetched again.

    ModelRefusedError: ModelMissing when the store has it not, refuses it or stays silent for `seconds`,
    ModelDigestMismatch when what it has or gives is something else, DiskFull.
    """
    clock = clock or Clock()
    deadline = clock.now() + seconds
    if _is_there(to, sha256):
        return
    pause = 0.5
    while True:
        try:
            _attempt(sha256, to=to, store=store, client=client)
            return
        except (OutageError, httpx.TransportError) as error:
            log.warning("artifact %s: %s", sha256[:12], error or type(error).__name__)
            if clock.now() + pause > deadline:
                message = f"the artifact store {store.url} did not give {sha256} within {seconds:g} s: {error!r}"
                raise ModelRefusedError(message, reason=Reason.MODEL_MISSING) from error
        except OSError as error:
            full = error.errno in {errno.ENOSPC, errno.EDQUOT}
            reason = Reason.DISK_FULL if full else Reason.MODEL_MISSING
            raise ModelRefusedError(f"{to} cannot be written: {error.strerror}", reason=reason) from error
        clock.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def _is_there(path: Path, sha256: str) -> bool:
    try:
        model_file.check_digest(path, sha256)
    except ModelRefusedError:
        return False
    return True


def _attempt(sha256: str, *, to: Path, store: Store, client: httpx.Client) -> None:
    url = f"{store.url.rstrip('/')}/v1/artifacts/{sha256}"
    part = to.with_name(f"{to.name}.part")
    with client.stream("GET", url, headers=dict(store.headers())) as response:
        _check_status(response, sha256)
        digest = hashlib.sha256()
        with part.open("wb") as file:
            for chunk in response.iter_bytes(_CHUNK):
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    if digest.hexdigest() != sha256:
        part.unlink()
        message = f"the artifact store gave {digest.hexdigest()} under the name {sha256}"
        raise ModelRefusedError(message, reason=Reason.MODEL_DIGEST_MISMATCH)
    part.chmod(0o444)
    part.replace(to)


def _check_status(response: httpx.Response, sha256: str) -> None:
    if response.status_code == 200:
        return
    text = response.read().decode(errors="replace")
    problem = job_json.parse(text)
    said = str(problem.get("detail") or text)[:_LONGEST_ANSWER]
    if response.status_code >= 500 or response.status_code in {408, 429}:
        raise OutageError(f"the artifact store answers {response.status_code}: {said}")
    if problem.get("type") == _DAMAGED:
        message = f"the artifact store cannot give {sha256}: {said}"
        raise ModelRefusedError(message, reason=Reason.MODEL_DIGEST_MISMATCH)
    what = {401: "does not know the token", 403: "does not allow this environment to read", 404: "does not have"}
    verb = what.get(response.status_code, f"answers {response.status_code} for")
    raise ModelRefusedError(f"the artifact store {verb} {sha256}: {said}", reason=Reason.MODEL_MISSING)


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Fetch every model of the configuration; the exit code."""
    environ = os.environ if environ is None else environ
    options = _options(arguments)
    level = environ.get("MODELOPS_LOG_LEVEL", "info").upper()
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    store = Store(url=environ.get("MODELOPS_ARTIFACT_STORE_URL", ""), token_file=options.token_file)
    try:
        if not store.url:
            raise ModelRefusedError("MODELOPS_ARTIFACT_STORE_URL is not set", reason=Reason.MODEL_MISSING)
        _fetch_all(config.load(options.config, models=options.models), store, options.seconds)
    except (InvalidInputError, ModelRefusedError) as error:
        reason = error.reason if isinstance(error, ModelRefusedError) else Reason.MODEL_MISSING
        log.error("%s: %s", reason.value, error)
        termination.write(reason=reason, message=str(error), file=options.termination_log)
        return EXIT_FAILED
    return 0


def _fetch_all(models: Sequence[config.ModelConfig], store: Store, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    timeout = httpx.Timeout(30.0, connect=5.0)
    with httpx.Client(timeout=timeout, mounts=rest.past_proxies(store.url)) as client:
        for model in models:
            left = max(deadline - time.monotonic(), 0.0)
            fetch(model.sha256, to=model.path, store=store, client=client, seconds=left)
            log.info("model %s is at %s", model.name, model.path)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scheduler.serving.download", description="Fetch models by digest.")
    parser.add_argument("--config", type=Path, default=Path("/etc/modelops/serving/models.json"))
    parser.add_argument("--models", type=Path, default=Path("/models"), help="folder for files named by sha256")
    parser.add_argument("--token-file", type=Path, default=TOKEN_FILE)
    parser.add_argument("--seconds", type=float, default=240.0, help="how long outages are waited for, in all")
    parser.add_argument("--termination-log", type=Path, default=termination.FILE)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
