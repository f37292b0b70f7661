"""The protocol over HTTP with the standard library: health, metadata, inference."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from linear_csv.model import Linear
from linear_csv.protocol import BadRequestError, Signature, answer

LARGEST = 64 << 20


def build(address: tuple[str, int], *, signature: Signature, model: Linear) -> ThreadingHTTPServer:
    """A server that listens already; `serve_forever` answers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            model_path = f"/v2/models/{signature.name}"
            known: Mapping[str, Any] = {
                "/v2/health/live": {"live": True},
                "/v2/health/ready": {"ready": True},
                "/v2": {"name": "linear-csv", "version": "0.1.0", "extensions": ["modelops_nulls", "modelops_rows"]},
                f"{model_path}/ready": {"name": signature.name, "ready": True},
                model_path: {"name": signature.name, "versions": [signature.version], "platform": "linear_csv"},
            }
            found = known.get(self.path)
            self._send(404, {"error": f"no such path: {self.path}"}) if found is None else self._send(200, found)

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            if length > LARGEST:
                self.close_connection = True
                self._send(413, {"error": f"at most {LARGEST} bytes are taken"})
                return
            body = self.rfile.read(length)
            if self.path != f"/v2/models/{signature.name}/infer":
                self._send(404, {"error": f"no such path: {self.path}"})
                return
            try:
                self._send(200, answer(json.loads(body), signature=signature, model=model))
            except BadRequestError as error:
                rows = [{"index": index, "message": message} for index, message in error.rows]
                self._send(400, {"error": str(error), **({"rows": rows} if rows else {})})
            except ValueError as error:
                self._send(400, {"error": f"the request is not JSON: {error}"})

        def _send(self, status: int, document: Mapping[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Requests are not logged."""

    return ThreadingHTTPServer(address, Handler)


def run(server: ThreadingHTTPServer) -> None:
    """Answer until SIGTERM."""

    def stop(*_: object) -> None:
        threading.Thread(target=server.shutdown).start()  # from the thread that serves it would wait for itself

    signal.signal(signal.SIGTERM, stop)
    with server:
        server.serve_forever()
