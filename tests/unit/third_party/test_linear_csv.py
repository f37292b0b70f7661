"""The third party's own programs: the server answers as flows ask, the build step pushes what it packed.

They run as processes, for they share no code with the package.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from scheduler import assets

FILES = assets.CHECKOUT / "tests" / "third-party" / "scoring-server-linear-csv" / "files"
MODEL = "input,coefficient\na,2\nb,-0.5\n(intercept),1\n"
BUILDAH = """\
#!/bin/sh
echo "$@" >> "$LOG"
case "$1" in
  pull) exit ${PULL:-1} ;;
  inspect) echo sha256:there ;;
  bud) [ -z "$FAIL" ] || { echo "no space left" >&2; exit 1; }; eval cp '"${'$#'}/linear_csv.pyz"' '"$PACKED"' ;;
  push) for word in "$@"; do case "$word" in --digestfile=*) echo sha256:new > "${word#--digestfile=}" ;; esac; done ;;
esac
"""


def described(folder: Path, text: str = MODEL, *, nullable: bool = True) -> Path:
    """The configuration of a service with this model."""
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    (folder / "models").mkdir(exist_ok=True)
    (folder / "models" / sha256).write_text(text)
    inputs = [{"name": name, "datatype": "FP64", "nullable": True} for name in ("a", "b")]
    outputs = [{"name": "score", "datatype": "FP64", "nullable": nullable}]
    model = {"name": "sums", "type": "linear-csv", "sha256": sha256, "inputs": inputs, "outputs": outputs}
    config = folder / "models.json"
    config.write_text(json.dumps({"models": [{**model, "path": str(folder / "models" / sha256)}]}))
    return config


def program(*words: str, **environment: str) -> subprocess.Popen[str]:
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(FILES), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    command = [sys.executable, "-m", "linear_csv", *words]
    return subprocess.Popen(command, env=environ, text=True, stderr=subprocess.PIPE)


@contextmanager
def serving(config: Path) -> Iterator[httpx.Client]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = program("serve", f"--config={config}", "--host=127.0.0.1", f"--port={port}")
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            deadline = time.monotonic() + 20
            while True:
                try:
                    assert client.get("/v2/models/sums/ready").status_code == 200
                    break
                except httpx.TransportError:
                    assert server.poll() is None, "it ended"
                    assert time.monotonic() < deadline, "it does not start"
                    time.sleep(0.05)
            yield client
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=20) == 0
    finally:
        server.kill()
        server.communicate()


def tensor(name: str, data: list[Any], datatype: str = "FP64") -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": [len(data)], "data": data}


def ask(client: httpx.Client, *inputs: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    response = client.post("/v2/models/sums/infer", json={"id": "7", "inputs": inputs})
    return response.status_code, response.json()


def test_rows_are_scored_and_missing_values_are_told(tmp_path: Path) -> None:
    with serving(described(tmp_path)) as client:
        status, answer = ask(client, tensor("a", [1.0, 9.0]), tensor("b", [4.0, 0.0]), tensor("a.null", [False, True]))

    assert status == 200
    assert answer["id"] == "7"
    assert answer["outputs"] == [tensor("score", [1.0, 0.0]), tensor("score.null", [False, True], "BOOL")]


def test_bad_rows_are_named_and_bad_requests_refused(tmp_path: Path) -> None:
    with serving(described(tmp_path, nullable=False)) as client:
        missing = ask(client, tensor("a", [1.0, 9.0]), tensor("b", [4.0, 0.0]), tensor("a.null", [False, True]))
        text = ask(client, tensor("a", [1.0, "x"]), tensor("b", [4.0, 0.0]))
        absent = ask(client, tensor("a", [1.0]))
        broken = client.post("/v2/models/sums/infer", content=b"{")

    assert (missing[0], [row["index"] for row in missing[1]["rows"]]) == (400, [1])
    assert (text[0], [row["index"] for row in text[1]["rows"]]) == (400, [1])
    assert absent == (400, {"error": "input 'b' is missing"})
    assert broken.status_code == 400


@pytest.mark.parametrize("text", ["", "a,b\n", "input,coefficient\na,1\n", "input,coefficient\na,1\nb,x\n"])
def test_a_file_that_is_no_model_of_these_inputs_ends_the_server_with_its_reason(tmp_path: Path, text: str) -> None:
    words = tmp_path / "words"

    ended = program("serve", f"--config={described(tmp_path, text)}", f"--termination-log={words}")

    ended.communicate(timeout=20)
    assert ended.returncode == 13
    assert json.loads(words.read_text())["reason"] == "ModelCorrupt"


@pytest.mark.parametrize(("given", "code"), [(MODEL, 0), (MODEL + "x", 12)])
def test_the_download_takes_only_what_has_the_digest(tmp_path: Path, given: str, code: int) -> None:
    class Store(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(given.encode())

        def log_message(self, *_: object) -> None:
            pass

    config = described(tmp_path)
    path = Path(json.loads(config.read_text())["models"][0]["path"])
    path.unlink()
    with HTTPServer(("127.0.0.1", 0), Store) as store:
        threading.Thread(target=store.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{store.server_port}"
        ended = program("download", f"--config={config}", MODELOPS_ARTIFACT_STORE_URL=url)
        ended.communicate(timeout=30)
        store.shutdown()

    assert ended.returncode == code
    assert path.exists() == (code == 0)


def packed(folder: Path, **environment: str) -> tuple[int, dict[str, Any], str, list[str]]:
    """Exit code, outcome, reference and calls of buildah, of the build step with a buildah that only notes them."""
    sources = folder / "sources"
    shutil.copytree(FILES / "linear_csv", sources)
    shutil.copy(FILES / "pack.py", sources)
    (folder / "buildah").write_text(BUILDAH)
    (folder / "buildah").chmod(0o755)
    places = {"LOG": str(folder / "log"), "PACKED": str(folder / "linear_csv.pyz")}
    results = [f"--{name}={folder / name}" for name in ("reference", "outcome")]
    options = ["--step", '{"name": "linear-csv-app"}', "--registry=registry:5000", "--tls-verify=false", *results]
    ended = subprocess.run(
        [sys.executable, str(sources / "pack.py"), *options],
        env={"PATH": f"{folder}:{os.environ['PATH']}", **places, **environment},
        check=False,
        timeout=60,
    )
    reference = folder / "reference"
    outcome = json.loads((folder / "outcome").read_text())
    calls = [line.split()[0] for line in (folder / "log").read_text().splitlines()]
    return ended.returncode, outcome, reference.read_text() if reference.exists() else "", calls


def test_the_build_step_pushes_a_program_that_runs(tmp_path: Path) -> None:
    code, outcome, reference, calls = packed(tmp_path)

    assert (code, outcome["state"], calls) == (0, "built", ["pull", "bud", "push"])
    assert reference == "registry:5000/modelops/linear-csv-app@sha256:new"
    helped = subprocess.run(
        [sys.executable, str(tmp_path / "linear_csv.pyz"), "--help"], capture_output=True, text=True, check=True
    )
    assert "download" in helped.stdout


def test_what_the_registry_has_is_not_built_again(tmp_path: Path) -> None:
    code, outcome, reference, calls = packed(tmp_path, PULL="0")

    assert (code, outcome["state"], calls) == (0, "skipped", ["pull", "inspect"])
    assert reference.endswith("@sha256:there")


def test_a_failure_is_told_in_the_programs_own_words(tmp_path: Path) -> None:
    code, outcome, reference, _ = packed(tmp_path, FAIL="yes")

    assert (code, outcome["state"], reference) == (1, "failed", "")
    assert "no space left" in outcome["message"]
