"""What can go wrong, by what a caller can do about it.

    SchedulerError
    ├── InvalidInputError            fix the document (all problems at once)
    ├── NotFoundError                check the name or id
    ├── ConflictError                something else stands there: same key with another body, job already finished
    ├── UnauthenticatedError         log in again
    ├── ForbiddenError               ask for the right
    ├── TooLargeError                send less
    ├── DigestMismatchError          the content is not what its digest says
    ├── UnavailableError             try again later (cluster, artifact store, git server)
    └── ProgramError                 a program we run failed (helm, bento, git, buildah), with its own words

HTTP codes and exit codes are not known here: `scheduler.web.problems` and `scheduler.cli.exit_codes` map the classes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scheduler.model.problem import Problem


class SchedulerError(Exception):
    """Anything that this project raises on purpose."""


class InvalidInputError(SchedulerError):
    """The reader's input has faults; `problems` lists every one of them."""

    def __init__(self, problems: Sequence[Problem], *, summary: str = "") -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        self.summary = summary or f"{count} problem{'' if count == 1 else 's'}"
        super().__init__("\n".join([self.summary, *(f"  {problem}" for problem in self.problems)]))


class NotFoundError(SchedulerError):
    """Nothing has that name or id (or the caller may not know that it exists)."""


class ConflictError(SchedulerError):
    """What is there contradicts what was asked."""


class UnauthenticatedError(SchedulerError):
    """No token, or one that is not accepted here."""


class ForbiddenError(SchedulerError):
    """Known caller, but not allowed to do this here."""


class TooLargeError(SchedulerError):
    """More bytes, depth or nodes than is accepted."""


class DigestMismatchError(SchedulerError):
    """The bytes do not have the digest that was promised."""


class UnavailableError(SchedulerError):
    """Somebody else's service does not answer; the same call may succeed later."""

    def __init__(self, message: str, *, retry_after_seconds: int = 5) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


def no_cluster(url: str, why: str) -> UnavailableError:
    """For every way to an API server that nobody answers at; of causes joined by `: ` the last one is told.

    >>> str(no_cluster("https://192.0.2.1", "failed to connect: [Errno 111] Connection refused"))
    'the API server does not answer at https://192.0.2.1: Connection refused'
    """
    reason = re.sub(r"^\[Errno -?[0-9]+\] ", "", why.rpartition(": ")[2])
    return UnavailableError(f"the API server does not answer at {url}: {reason}")


class ProgramError(SchedulerError):
    """A program ended with an error; `output` holds its last words."""

    def __init__(self, message: str, *, output: str = "") -> None:
        self.output = output
        super().__init__(message)
