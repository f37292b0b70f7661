"""What tests ask of the platform's installation, and of what it installed."""

from __future__ import annotations

import json
import sys
from typing import Any

from scheduler.demo.installation import NAMESPACE, RELEASE, Platform


def modelops(platform: Platform, *words: str) -> bytes:
    """Standard output of the command line."""
    return platform.run(sys.executable, "-m", "scheduler", *words, limit_seconds=900)


def status(platform: Platform) -> dict[str, Any]:
    """Of the newest installation."""
    found: dict[str, Any] = json.loads(modelops(platform, "install", "status", "-n", NAMESPACE, "-o", "json"))
    return found


def steps(status: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {step["name"]: step for step in status["steps"]}


def pods(platform: Platform) -> set[str]:
    """UIDs of the applications' pods; those of hooks are not among them."""
    found = platform.objects("pods", "-n", NAMESPACE, "-l", f"app.kubernetes.io/instance={RELEASE}")
    return {
        pod["metadata"]["uid"] for pod in found if pod["metadata"]["labels"]["app.kubernetes.io/name"] != "modelops"
    }
