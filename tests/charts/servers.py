"""The two servers as the platform's charts render them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scheduler.model.types import Manifest
from tests.charts import render

SCHEDULING: Final = "modelops-scheduling-server"
MODELOPS: Final = "modelops-modelops-server"


def container(objects: tuple[Manifest, ...], deployment: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = render.one(objects, "Deployment", deployment)["spec"]["template"]["spec"]["containers"][
        0
    ]
    return found


def environment(objects: tuple[Manifest, ...], deployment: str) -> dict[str, str]:
    return {item["name"]: item["value"] for item in container(objects, deployment)["env"]}
