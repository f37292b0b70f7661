"""Traces of a flow reach their collector, and what that takes of the environment reaches no step."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from scheduler.errors import InvalidInputError
from scheduler.lint.bento import BentoLint
from scheduler.model.job import Reason
from scheduler.model.pipeline import MapStep
from scheduler.settings import Globals
from tests.unit import https

pytestmark = [pytest.mark.bento, pytest.mark.timeout(60)]


def collector(asked: list[str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler


def test_a_collector_of_ones_own_authority_is_trusted_by_the_given_certificates(
    make: Any, data: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted, certificate = https.authority(tmp_path.parent / "certificates")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    asked: list[str] = []
    with https.serving(collector(asked), certificate=certificate) as address:
        globals_ = Globals(log_level="warning", trace_endpoint=f"https://{address}", trace_sample_ratio=1)
        flow = make(MapStep(name="same", mapping="root = this"), globals_=globals_)
        flow.write(data(10))
        end = flow.run()
    assert end.reason is Reason.COMPLETED, end.message
    assert set(asked) == {"/v1/traces"}


def test_no_step_sees_where_the_certificates_are(
    make: Any, data: Callable[..., str], bento: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/canary/ca.crt")
    flow = make(MapStep(name="curious", mapping='root.name = env("SSL_CERT_FILE")'))
    flow.write(data(1))
    assert BentoLint(bento).check(flow.compile().engine)
    assert flow.run().reason is Reason.FLOW_REFUSED
    with pytest.raises(InvalidInputError, match="nothing of the environment is reachable"):
        make(MapStep(name="curious", mapping='root.name = "${SSL_CERT_FILE}"')).compile()
