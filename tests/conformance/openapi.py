"""Schemathesis over a server's OpenAPI document, as a program of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

_EXCLUDED: Final = "positive_data_acceptance"
"""An order, an IR or a label that fits its schema may still mean nothing: that is a 422 with problems."""
_PHASES: Final = "examples,coverage,fuzzing,stateful"
_REQUEST_SECONDS: Final = 20
_SUMMARY: Final = re.compile(r"(\d+) generated, (\d+) passed")


def check(
    url: str, token: str, *, examples: int, seed: int, folder: Path, limit_seconds: float, phases: str = _PHASES
) -> int:
    """How many requests were tried; AssertionError with what was found.

    All of Schemathesis' checks but one: no server error, documented statuses, content types and bodies, refusal of what
    does not fit and of a missing token, and the methods that a path has. `folder` takes what it writes.
    """
    command = [
        Path(sys.executable).with_name("st"),
        "run",
        f"{url}/openapi.json",
        "--header",
        f"Authorization: Bearer {token}",
    ]
    command += ["--max-examples", str(examples), "--seed", str(seed), "--exclude-checks", _EXCLUDED, "--no-color"]
    command += ["--request-timeout", str(_REQUEST_SECONDS), "--continue-on-failure", "--warnings", "off"]
    command += ["--phases", phases]
    try:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=limit_seconds,
            check=False,
            env={**os.environ, "NO_COLOR": "1"},
        )
    except subprocess.TimeoutExpired:
        # its own words would tell the token
        raise AssertionError(f"Schemathesis did not end within {limit_seconds:g} s") from None
    found = _SUMMARY.search(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert found, done.stdout
    generated, passed = map(int, found.groups())
    assert generated == passed > 0, done.stdout
    return generated
