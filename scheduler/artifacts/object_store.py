"""An object store, tried out before anything is kept in it.

What is required of it: an object is seen by everybody as soon as it is written, in listings too; a conditional put
(on S3 `If-None-Match: *`) lets one of many writers win; an upload that is not finished is seen by nobody. Amazon S3
keeps to this, and so does versitygw, with which the tests run.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

import fsspec.core

from scheduler.artifacts.filesystem import Filesystem
from scheduler.artifacts.objects import Objects
from scheduler.errors import InvalidInputError, UnavailableError
from scheduler.model.problem import Problem

_WRITERS: Final = 4
_TALKATIVE: Final = ("aiobotocore", "botocore", "fsspec", "s3fs")
"""Libraries that write signatures and session tokens into the log when its level is debug."""

_NOT_THERE: Final = (
    "its filesystem is not in this image, which speaks s3:// as it is shipped; name its package in the"
    " build/requirements.in of the chart modelops-server, and build"
)


def connect(url: str, *, options: Mapping[str, Any]) -> Objects:
    """The objects below the URL.

    InvalidInputError when nothing speaks its scheme or it cannot be opened so, or when the store is not as required;
    UnavailableError when it does not answer after that.
    """
    shown = f"the artifact store {url}"
    for library in _TALKATIVE:
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        filesystem, prefix = fsspec.core.url_to_fs(url, use_listings_cache=False, skip_instance_cache=True, **options)
    except ImportError as error:
        message = f"{shown} cannot be opened: {_NOT_THERE} ({error})"
        raise InvalidInputError([Problem(document="storage", message=message)]) from error
    except Exception as error:
        # each filesystem refuses in a way of its own what it is not given
        message = f"{shown} cannot be opened: {str(error) or type(error).__name__}"
        raise InvalidInputError([Problem(document="storage", message=message)]) from error
    made = Filesystem(filesystem, prefix=prefix, shown=shown)
    made.mark()
    require(made, shown=shown)
    return made


def require(objects: Objects, *, shown: str) -> None:
    """InvalidInputError with everything that the store does not keep to; what was written to find out is gone."""
    folder = f"trials/{uuid.uuid4().hex}"
    try:
        problems = [Problem(document="storage", message=f"{shown} {fault}") for fault in _faults(objects, folder)]
    finally:
        with suppress(UnavailableError):
            for name in objects.names(folder):
                objects.remove(f"{folder}/{name}")
    if problems:
        raise InvalidInputError(problems, summary="this store cannot keep artifacts and revisions")


def _faults(objects: Objects, folder: str) -> Iterator[str]:
    if not objects.create(f"{folder}/once", b"first"):
        yield "says of a new object that it is there already"
    if objects.create(f"{folder}/once", b"second") or _read(objects, f"{folder}/once") != b"first":
        yield (
            "lets a conditional put (If-None-Match: *) replace what is there, so that two deployments could get one"
            " revision's number"
        )
    with ThreadPoolExecutor(_WRITERS) as pool:
        winners = sum(pool.map(lambda writer: objects.create(f"{folder}/race", bytes([writer])), range(_WRITERS)))
    if winners != 1:
        yield f"let {winners} of {_WRITERS} conditional puts at once win, where exactly one may"
    with objects.writing(f"{folder}/unfinished") as writer:
        writer.write(b"half")
        is_seen = objects.size(f"{folder}/unfinished") is not None
    if is_seen or objects.size(f"{folder}/unfinished") is not None:
        yield "shows an upload that is not finished, so that half an artifact would look like one"
    if not objects.names(folder) >= {"once", "race"}:
        yield "does not list what was written a moment ago"


def _read(objects: Objects, name: str) -> bytes:
    reader = objects.open(name)
    if reader is None:
        return b""
    try:
        return reader.read(reader.size)
    finally:
        reader.close()
