"""Exit codes by kind of error: what a script needs to know without reading messages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from scheduler import errors
from scheduler.inspection.findings import Area
from scheduler.installation.view import Progress
from scheduler.model.job import JobState

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
INCOMPLETE: Final = 12
NOT_READY: Final = 8
"""The same as for UnavailableError: try again later."""
INTERRUPTED: Final = 130
LEAKED: Final = 23
LACKING: Final = 13

OF_ERROR: Final[Mapping[type[errors.SchedulerError], int]] = {
    errors.InvalidInputError: 3,
    errors.NotFoundError: 4,
    errors.ConflictError: 5,
    errors.UnauthenticatedError: 6,
    errors.ForbiddenError: 7,
    errors.UnavailableError: 8,
    errors.TooLargeError: 9,
    errors.DigestMismatchError: 10,
    errors.ProgramError: 11,
    errors.SchedulerError: FAILED,
}
OF_STATE: Final[Mapping[JobState, int]] = {
    JobState.SUCCEEDED: OK,
    JobState.FAILED: 20,
    JobState.CANCELLED: 21,
    JobState.TIMED_OUT: 22,
}
"""Of a job that was watched to its end."""
OF_INSTALLATION: Final[Mapping[str, int]] = {
    Progress.SUCCEEDED: OK,
    Progress.FAILED: OF_STATE[JobState.FAILED],
    Progress.CANCELLED: OF_STATE[JobState.CANCELLED],
    Progress.TIMED_OUT: OF_STATE[JobState.TIMED_OUT],
}
"""Of an installation that was waited for."""

MEANING: Final[Mapping[int, str]] = {
    OK: "done",
    FAILED: "failed in a way that has no code of its own",
    USAGE: "the command line is wrong",
    3: "the input has faults; all of them are listed",
    4: "nothing has that name or id",
    5: "it contradicts what is there (a used key, a finished job)",
    6: "not logged in, or the login has expired",
    7: "logged in, but not allowed",
    8: "a server or cluster does not answer; try again later",
    9: "too large",
    10: "content does not have the digest it should have",
    11: "a program we ran failed (helm, bento, git, buildah)",
    INCOMPLETE: "the plan is good as far as it goes, but helm or bento is missing: NOT RENDERED or NOT LINTED",
    LACKING: "the cluster lacks something that jobs need",
    20: "the watched job FAILED, or the installation did",
    21: "the watched job was CANCELLED, or the installation was",
    22: "the watched job TIMED_OUT, or the installation did",
    LEAKED: "the watched job succeeded but left objects behind",
    INTERRUPTED: "interrupted; a watched job goes on",
}


def of(error: errors.SchedulerError) -> int:
    """The code of the nearest class in the table."""
    return next(OF_ERROR[kind] for kind in type(error).__mro__ if kind in OF_ERROR)


def of_job(state: str, cleanup: str) -> int:
    """The code for a finished job; a state that this version does not know is a failure."""
    try:
        code = OF_STATE[JobState(state)]
    except (KeyError, ValueError):
        return FAILED
    return LEAKED if code == OK and cleanup == "LEAKED" else code


def of_lacking(areas: Collection[Area]) -> int:
    """The code for a cluster that lacks something there: what it takes to mend it decides, the hardest first."""
    if set(areas) - {Area.RIGHTS, Area.REGISTRY}:
        return LACKING
    if Area.REGISTRY in areas:
        return OF_ERROR[errors.UnavailableError]
    return OF_ERROR[errors.ForbiddenError] if areas else OK


def table() -> str:
    """The codes with their meanings, a line each."""
    return "\n".join(f"{code:>3}  {meaning}" for code, meaning in MEANING.items())
