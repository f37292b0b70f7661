"""HTTP on loopback, over TLS where a certificate is given: what the programs' own clients are held against."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from scheduler.devcluster import certificates
from scheduler.devcluster.addresses import Addresses


def authority(folder: Path) -> tuple[Path, Path]:
    """(the certificates of an authority that nobody knows, a server's certificate from it for 127.0.0.1)."""
    certificates.write(folder, Addresses())
    return folder / "ca.crt", folder / "kube-scheduler.crt"


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], *, certificate: Path | None = None) -> Iterator[str]:
    """`127.0.0.1:<port>` of a server; the key of `certificate` stands beside it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
