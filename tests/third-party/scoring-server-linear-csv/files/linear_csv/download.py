"""The model from the artifact store, by its digest: the one place that holds the token."""

from __future__ import annotations

import hashlib
import time
import urllib.error
import urllib.request
from pathlib import Path

from linear_csv.model import RefusedError

TOKEN = Path("/var/run/secrets/modelops-artifacts/token")


def fetch(store: str, sha256: str, *, to: Path, seconds: float = 120, pause: float = 1.0) -> None:
    """Have the file at `to`; outages are waited for, a refusal or another digest is a RefusedError."""
    request = urllib.request.Request(f"{store.rstrip('/')}/v1/artifacts/{sha256}")
    deadline = time.monotonic() + seconds
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the store is inside the cluster
    while True:
        if TOKEN.exists():
            request.add_header("Authorization", f"Bearer {TOKEN.read_text().strip()}")
        try:
            with opener.open(request, timeout=30) as response:
                content = response.read()
            break
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in {408, 429}:
                raise RefusedError(f"the artifact store answers {error.code} for {sha256}") from error
            reason: Exception = error
        except OSError as error:
            reason = error
        if time.monotonic() + pause > deadline:
            raise RefusedError(f"the artifact store did not give {sha256} within {seconds:g} s: {reason}")
        time.sleep(pause)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise RefusedError(f"the artifact store gave something else under the name {sha256}")
    to.write_bytes(content)
