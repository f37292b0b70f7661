"""An OpenID Connect issuer over HTTP on loopback that knows the device flow; a test says what it answers."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

Answer = tuple[int, dict[str, Any]]


def pending(error: str = "authorization_pending", **more: Any) -> Answer:
    return 400, {"error": error, **more}


def jwt_that_ends(seconds: int) -> str:
    """Unsigned: the command line does not verify, it only reads when to ask again."""
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256"}, {"exp": seconds})]
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "c2ln"])


@dataclass
class DeviceIssuer:
    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    """Of the token endpoint, one after the other; the last one stays."""
    begun: Answer | None = None
    """Of the device endpoint, instead of a code."""
    document: dict[str, Any] = field(default_factory=dict)
    """Over what discovery says."""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """(path, form fields) of every request."""

    def answer(self, path: str, fields: dict[str, str]) -> Answer:
        self.asked.append((path, fields))
        if path == "/.well-known/openid-configuration":
            made = {
                "issuer": self.url,
                "device_authorization_endpoint": f"{self.url}/device",
                "token_endpoint": f"{self.url}/token",
            }
            return 200, {**made, **self.document}
        if path == "/device":
            code = {"device_code": "secret-device-code", "user_code": "WDJB-MJHT", "expires_in": 600, "interval": 5}
            return self.begun or (200, {**code, "verification_uri": f"{self.url}/activate"})
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[DeviceIssuer]:
    """Over TLS with a `certificate`, whose key stands beside it."""
    made = DeviceIssuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer({name: values[0] for name, values in parse_qs(body).items()})

        def _answer(self, fields: dict[str, str]) -> None:
            status, found = made.answer(self.path, fields)
            content = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
    made.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
