"""What routes work with."""

from __future__ import annotations

from dataclasses import dataclass

from scheduler.api.access import Access
from scheduler.jobs.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    ports: Ports
    access: Access
