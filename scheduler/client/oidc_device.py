"""A token of an OpenID Connect issuer for somebody at a terminal: the device flow (RFC 8628), and refreshing it.

The browser may be on any machine; this one needs no secret and listens nowhere.
"""

from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

import httpx

import scheduler
from scheduler import rest
from scheduler.errors import (
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    SchedulerError,
    UnauthenticatedError,
    UnavailableError,
)
from scheduler.model.problem import Problem

_DEVICE_CODE: Final = "urn:ietf:params:oauth:grant-type:device_code"
_SECONDS: Final = 20.0
_MOST_BYTES: Final = 1 << 20
_INTERVAL_SECONDS: Final = 5
_SLOWER_SECONDS: Final = 5
_LONGEST_PAUSE_SECONDS: Final = 60
_REMEDY: Final = "; name the file with the issuer's authority: `modelops login --certificate-authority`"
_WORDS: Final = 200
"""Of what the issuer says about an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What the person is to be told, and what the issuer is asked with meanwhile."""

    user_code: str
    uri: str
    complete_uri: str
    """With the code in it; empty where the issuer has none."""
    device_code: str = field(repr=False)
    seconds: float
    """How long the code is good."""
    interval_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    token: str = field(repr=False)
    """The ID token, else the access token: a token whose audience is the client."""
    expires: str
    """RFC 3339; empty when nobody says."""
    refresh_token: str = field(repr=False)
    """Empty where the issuer gives none."""


class Provider:
    """One issuer, as one of its public clients sees it. Everything goes over TLS, or stays on this machine."""

    def __init__(
        self,
        issuer: str,
        *,
        client_id: str,
        certificate_authority: str = "",
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`certificate_authority` is a file of certificates to trust alone; without it the system's count.

        NotFoundError when it cannot be read, InvalidInputError when it holds none.
        """
        self.issuer = issuer
        self._client_id = client_id
        self._now = now
        self._client = httpx.Client(
            timeout=_SECONDS,
            verify=_trusted(certificate_authority),
            transport=transport,
            follow_redirects=False,
            headers={"User-Agent": f"modelops/{scheduler.__version__}", "Accept": "application/json"},
        )
        self._endpoints: Mapping[str, Any] = {}

    def close(self) -> None:
        self._client.close()

    def begin(self, scope: str) -> Prompt:
        """Ask for a code for somebody to confirm."""
        where = self._endpoint("device_authorization_endpoint")
        status, found = self._asked("POST", where, {"client_id": self._client_id, "scope": scope})
        if status != 200:
            raise _refusal(found, f"{self.issuer} does not begin a login for the client '{self._client_id}'")
        try:
            return Prompt(
                user_code=str(found["user_code"]),
                uri=str(found.get("verification_uri") or found["verification_url"]),
                complete_uri=str(found.get("verification_uri_complete") or ""),
                device_code=str(found["device_code"]),
                seconds=float(found["expires_in"]),
                interval_seconds=float(found.get("interval", _INTERVAL_SECONDS)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise SchedulerError(f"{self.issuer} answers a login without {error}") from error

    def finish(
        self,
        prompt: Prompt,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> Tokens:
        """Wait until somebody has confirmed the code.

        ForbiddenError when they have declined, UnauthenticatedError when the code has expired.
        """
        deadline, pause = clock() + prompt.seconds, prompt.interval_seconds
        asking = {"grant_type": _DEVICE_CODE, "device_code": prompt.device_code}
        while clock() + pause < deadline:
            sleep(pause)
            try:
                status, found = self._token(asking)
            except UnavailableError:
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)  # RFC 8628, section 3.5
                continue
            match status, found.get("error"):
                case 200, _:
                    return self._tokens(found)
                case _, "authorization_pending":
                    continue
                case _, "slow_down":
                    pause += _SLOWER_SECONDS
                case _, "access_denied":
                    raise ForbiddenError(f"the login at {self.issuer} was declined")
                case _, "expired_token":
                    break
                case _:
                    raise _refusal(found, f"{self.issuer} refuses the login")
        raise UnauthenticatedError(f"nobody confirmed the code {prompt.user_code} in time: run `modelops login` again")

    def refresh(self, refresh_token: str) -> Tokens:
        """New tokens for an earlier login; UnauthenticatedError when that is over."""
        status, found = self._token({"grant_type": "refresh_token", "refresh_token": refresh_token})
        if status != 200:
            raise _refusal(found, f"the login at {self.issuer} is over: run `modelops login` again")
        made = self._tokens(found)
        # an issuer that does not rotate them sends none
        return made if made.refresh_token else replace(made, refresh_token=refresh_token)

    def _token(self, asking: Mapping[str, str]) -> tuple[int, Mapping[str, Any]]:
        return self._asked("POST", self._endpoint("token_endpoint"), {**asking, "client_id": self._client_id})

    def _tokens(self, found: Mapping[str, Any]) -> Tokens:
        token = found.get("id_token") or found.get("access_token")
        if not isinstance(token, str) or not token:
            raise SchedulerError(f"{self.issuer} answers a login without a token")
        seconds = found.get("expires_in")
        ends = _expiry(token)
        if ends is None and isinstance(seconds, int | float):
            ends = self._now().timestamp() + seconds
        expires = "" if ends is None else datetime.fromtimestamp(ends, UTC).isoformat(timespec="seconds")
        return Tokens(token=token, expires=expires, refresh_token=str(found.get("refresh_token") or ""))

    def _endpoint(self, name: str) -> str:
        if not self._endpoints:
            self._endpoints = self._discovered()
        found = self._endpoints.get(name)
        if not isinstance(found, str) or not rest.is_encrypted(found):
            raise SchedulerError(f"{self.issuer} names no https URL as its {name}")
        return found

    def _discovered(self) -> Mapping[str, Any]:
        status, found = self._asked("GET", self.issuer.rstrip("/") + "/.well-known/openid-configuration", {})
        if status != 200:
            raise UnavailableError(f"{self.issuer} answers {status} where an OpenID Connect issuer tells of itself")
        if found.get("issuer") != self.issuer:
            raise SchedulerError(f"the issuer at {self.issuer} calls itself {str(found.get('issuer'))[:_WORDS]!r}")
        return found

    def _asked(self, method: str, url: str, fields: Mapping[str, str]) -> tuple[int, Mapping[str, Any]]:
        """Status and JSON object of the answer; what is no object counts as an empty one."""
        try:
            response = self._client.request(method, url, data=dict(fields) or None)
        except httpx.HTTPError as error:
            remedy = _REMEDY if "CERTIFICATE_VERIFY_FAILED" in str(error) else ""
            raise UnavailableError(f"{self.issuer} does not answer: {error}{remedy}") from error
        if response.status_code >= 500:
            raise UnavailableError(f"{self.issuer} answers {response.status_code}")
        try:
            found = json.loads(response.content[:_MOST_BYTES])
        except (ValueError, RecursionError):
            found = {}
        return response.status_code, found if isinstance(found, dict) else {}


def _trusted(file: str) -> ssl.SSLContext | bool:
    if not file:
        return True
    try:
        return ssl.create_default_context(cafile=file)
    except ssl.SSLError as error:
        message = f"holds no PEM certificates: {error}"
        raise InvalidInputError([Problem(file=file, message=message)]) from error
    except OSError as error:
        raise NotFoundError(f"the certificate authority {file} cannot be read: {error}") from error


def _refusal(found: Mapping[str, Any], message: str) -> UnauthenticatedError:
    words = str(found.get("error_description") or found.get("error") or "it does not say why")[:_WORDS]
    return UnauthenticatedError(f"{message}: {words}")


def _expiry(token: str) -> float | None:
    """What the token says itself. It is not verified here: that is for the server, this only saves a vain request."""
    try:
        payload = token.split(".")[1]
        ends = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"]
    except (IndexError, KeyError, TypeError, ValueError):
        return None
    return float(ends) if isinstance(ends, int | float) else None
