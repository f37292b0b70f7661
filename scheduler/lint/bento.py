"""The engine's own lint, in a child process that can do nothing else."""

from __future__ import annotations

import json
import resource
import subprocess
import threading
from collections import OrderedDict
from typing import Any, Final

from scheduler import assets
from scheduler.errors import ProgramError, UnavailableError
from scheduler.lint import place
from scheduler.model import canonical
from scheduler.model.problem import Problem

PROGRAM: Final = "bento"
VARIABLE: Final = "MODELOPS_BENTO"
"""Environment variable that names the program where it is not on PATH."""

WALL_SECONDS: Final = 20
CPU_SECONDS: Final = 10
MEMORY_BYTES: Final = 2 * 1024**3
"""Address space: Go reserves far more than it uses, about 1.3 GiB before it does anything."""
CACHED: Final = 1024
_LIMITS: Final = {
    resource.RLIMIT_AS: MEMORY_BYTES,
    resource.RLIMIT_CPU: CPU_SECONDS,
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_NOFILE: 32,
}


class BentoLint:
    """Runs `bento lint` with an empty environment, an empty folder and limits on time, memory and files.

    Results are kept by the configuration's digest: the same flow is linted once, whoever submits it.
    """

    def __init__(self, program: str = "") -> None:
        self._program = program or assets.program(PROGRAM)
        self._known: OrderedDict[str, tuple[Problem, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, engine: str) -> tuple[Problem, ...]:
        digest = canonical.digest(engine)
        with self._lock:
            if digest in self._known:
                self._known.move_to_end(digest)
                return self._known[digest]
        problems = tuple(_problem(engine, found) for found in self._run(engine))
        with self._lock:
            self._known[digest] = problems
            while len(self._known) > CACHED:
                self._known.popitem(last=False)
        return problems

    def _run(self, engine: str) -> list[dict[str, Any]]:
        try:
            child = subprocess.Popen(
                [self._program, "lint", "-"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={},
                cwd="/",
                close_fds=True,
                start_new_session=True,
            )
        except OSError as error:
            remedy = f"build scheduler/flow/bento, and put it on PATH or name it in {VARIABLE}"
            raise UnavailableError(f"flows cannot be linted: no program '{self._program}' ({remedy})") from error
        with child:
            try:
                # it waits for its input, so the limits hold before it reads a word of it
                for kind, limit in _LIMITS.items():
                    resource.prlimit(child.pid, kind, (limit, limit))
                output, words = child.communicate(engine.encode(), timeout=WALL_SECONDS)
            except (subprocess.TimeoutExpired, ProcessLookupError) as error:
                child.kill()
                raise ProgramError(f"the lint of a flow gave no answer within {WALL_SECONDS} s") from error
        return _parse(child.returncode, output, words.decode(errors="replace"))


def _parse(code: int, output: bytes, words: str) -> list[dict[str, Any]]:
    if code in {0, 1}:
        try:
            found = json.loads(output)
        except ValueError:
            found = None
        if isinstance(found, list) and bool(found) == bool(code):
            return found
    last = "\n".join(words.strip().splitlines()[:5])
    raise ProgramError(f"the lint of a flow ended with code {code} (memory and time are limited)", output=last)


def _problem(engine: str, found: dict[str, Any]) -> Problem:
    line = int(found.get("line", 0))
    where = place.find(engine, line)
    what = str(found.get("message", ""))
    return Problem(
        message=f"step '{where.step}': {what}" if where.step else what,
        document="engine configuration",
        pointer=where.pointer,
        line=line,
    )
