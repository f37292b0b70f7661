"""A token from a program, by the protocol that kubectl's credential plugins speak.

Source: ExecCredential of `client.authentication.k8s.io/v1`.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from datetime import datetime
from typing import Final

from scheduler import rest
from scheduler.cluster.port import Token
from scheduler.errors import InvalidInputError, NotFoundError, ProgramError
from scheduler.model.problem import Problem

_VERSION: Final = "client.authentication.k8s.io/v1"
_LIMIT_SECONDS: Final = 300.0
"""Somebody may have to log in with a browser meanwhile."""


def words(command: str) -> tuple[str, ...]:
    """Program and arguments, quoted as for a shell, which is not started; InvalidInputError for none."""
    try:
        found = tuple(shlex.split(command))
    except ValueError as error:
        raise InvalidInputError([Problem(pointer="--exec", message=str(error))]) from error
    if not found:
        raise InvalidInputError([Problem(pointer="--exec", message="names no program")])
    return found


def credential(command: str) -> Token:
    """The token that the program prints, and when it ends; an empty time when it does not say.

    What it writes to standard error is the reader's to see; what it prints, nobody's.
    """
    program, *arguments = words(command)
    is_interactive = sys.stdin.isatty()
    asked = {"apiVersion": _VERSION, "kind": "ExecCredential", "spec": {"interactive": is_interactive}}
    try:
        done = subprocess.run(
            [program, *arguments],
            stdin=None if is_interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={**os.environ, "KUBERNETES_EXEC_INFO": json.dumps(asked)},
            timeout=_LIMIT_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise NotFoundError(f"there is no program '{program}', which the login takes its token from") from error
    except OSError as error:
        raise ProgramError(f"'{program}' cannot be started: {error.strerror}") from error
    except subprocess.TimeoutExpired:
        raise ProgramError(f"'{program}' gave no token within {_LIMIT_SECONDS:g} s") from None
    if done.returncode:
        raise ProgramError(f"'{program}' ended with {done.returncode} instead of giving a token")
    return _token(done.stdout, program)


def _token(printed: bytes, program: str) -> Token:
    """From None throughout: the decoder's own words would show what was printed."""
    try:
        found = json.loads(printed)
    except (ValueError, RecursionError):
        raise ProgramError(f"'{program}' printed something that is not JSON") from None
    if not isinstance(found, dict) or (found.get("apiVersion"), found.get("kind")) != (_VERSION, "ExecCredential"):
        raise ProgramError(f"'{program}' printed no ExecCredential of {_VERSION}")
    status = found.get("status")
    if not isinstance(status, dict):
        status = {}
    value, expires = status.get("token"), status.get("expirationTimestamp") or ""
    if not isinstance(value, str) or not value.strip():
        raise ProgramError(
            f"'{program}' printed an ExecCredential without status.token; certificates are of no use here"
        )
    if not rest.is_token(value.strip()):
        raise ProgramError(f"what '{program}' printed as status.token {rest.NOT_A_TOKEN}")
    if expires:
        try:
            if datetime.fromisoformat(expires).tzinfo is None:
                raise ValueError
        except (TypeError, ValueError):
            raise ProgramError(f"'{program}' printed a status.expirationTimestamp that is no RFC 3339 time") from None
    return Token(value=value.strip(), expires=expires)
