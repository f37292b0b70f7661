"""An OpenID Connect issuer of our own: keys that are rotated, tokens of any kind, and a count of who asked for what."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from scheduler.settings import OidcSettings
from scheduler.web.oidc.discovery import Discovery
from scheduler.web.oidc.issuer import OidcIssuer
from scheduler.web.oidc.keys import KeyRing

URL: Final = "https://issuer.example.com/realms/science"
SETTINGS: Final = OidcSettings(issuer=URL, audience="scoring", algorithms=("RS256", "ES256", "EdDSA"))

_MADE: Final[dict[str, Any]] = {}
_MAKE: Final[Mapping[str, Callable[[], Any]]] = {
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "short": lambda: rsa.generate_private_key(65537, 1024),  # noqa: S505 - to be refused
    "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ed": ed25519.Ed25519PrivateKey.generate,
}


def private(name: str) -> Any:
    """A private key; RSA keys cost time, so that each name has one for all tests."""
    if name not in _MADE:
        _MADE[name] = _MAKE[_kind(name)]()
    return _MADE[name]


def algorithm(name: str) -> str:
    return {"ec": "ES256", "ed": "EdDSA"}.get(_kind(name), "RS256")


def _kind(name: str) -> str:
    return name.partition("-")[0]


def jwk(name: str, **more: Any) -> dict[str, Any]:
    public = private(name).public_key()
    made = jwt.get_algorithm_by_name(algorithm(name)).to_jwk(public, as_dict=True)
    return {**made, "kid": name, "use": "sig", "alg": algorithm(name), **more}


@dataclass
class LocalIssuer:
    url: str = URL
    keys: list[dict[str, Any]] = field(default_factory=lambda: [jwk("rsa-1")])
    document: dict[str, Any] = field(default_factory=dict)
    """Over what discovery says."""
    answers: dict[str, httpx.Response | Exception] = field(default_factory=dict)
    """By path, instead of what is true."""
    asked: Counter[str] = field(default_factory=Counter)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked[request.url.path] += 1
        other = self.answers.get(request.url.path)
        if isinstance(other, Exception):
            raise other
        if other is not None:
            return other
        if request.url.path.endswith("/.well-known/openid-configuration"):
            return httpx.Response(200, json={"issuer": self.url, "jwks_uri": f"{self.url}/keys", **self.document})
        if not {"*/*", "application/jwk-set+json"} & set(request.headers["Accept"].split(", ")):
            return httpx.Response(406)  # as the API server does
        return httpx.Response(200, json={"keys": self.keys})

    def discovery(self, settings: OidcSettings = SETTINGS) -> Discovery:
        return Discovery(settings, transport=httpx.MockTransport(self.answer))

    def issuer(self, settings: OidcSettings = SETTINGS, *, clock: Any = time.monotonic) -> OidcIssuer:
        """Ours, which accepts this one's tokens."""
        return OidcIssuer(settings, keys=KeyRing(self.discovery(settings).keys, clock=clock))

    def token(self, *, key: str = "rsa-1", headers: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """A good token, but for what is given; None leaves a claim out."""
        now = int(time.time())
        said = {"iss": self.url, "aud": "scoring", "sub": "ada", "iat": now, "exp": now + 300, **claims}
        said = {name: value for name, value in said.items() if value is not None}
        header = {name: value for name, value in {"kid": key, **(headers or {})}.items() if value is not None}
        return jwt.encode(said, private(key), algorithm=algorithm(key), headers=header)


def unsigned(header: Mapping[str, Any], claims: Mapping[str, Any], signature: bytes = b"") -> str:
    """A token as an attacker puts it together."""
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(jwt.utils.base64url_encode(part).decode() for part in parts)
