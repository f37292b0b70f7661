"""From what an order names to a checked IR: documents in the request, a stored revision, or a place on a git server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scheduler.errors import InvalidInputError, NotFoundError
from scheduler.ir.load import Loaded
from scheduler.jobs.checked_irs import CheckedIrs
from scheduler.jobs.order import Order
from scheduler.jobs.ports import Git, Store
from scheduler.model.problem import Problem

_CHECKED: Final = CheckedIrs()


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The IR and where exactly it came from."""

    loaded: Loaded
    revision: int | None = None
    git: dict[str, str] | None = None
    """{path, ref, folder, commit}"""


def resolve(order: Order, *, store: Store, git: Git, model_types: tuple[str, ...]) -> Origin:
    """The order's IR, models of these types in it; every fault is an InvalidInputError, also an unknown name."""
    try:
        if order.git is not None:
            loaded, commit = git.load(order.git, model_types=model_types)
            place = {"path": order.git.path, "ref": order.git.ref, "folder": order.git.folder, "commit": commit}
            return Origin(loaded=loaded, git=place)
        if order.pipeline:
            revision = store.revision(order.pipeline, order.revision)
            return Origin(loaded=_CHECKED.load(revision.documents, model_types=model_types), revision=revision.revision)
    except NotFoundError as error:
        pointer = "/git" if order.git else "/pipeline"
        raise InvalidInputError([Problem(pointer=pointer, message=str(error))]) from error
    return Origin(loaded=_CHECKED.load(order.ir, model_types=model_types))
