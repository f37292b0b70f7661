"""The table of ends: every way in which an order or a job can end, row by row, in the order of the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.e2e.ends import (
    cancelled,
    capacity,
    deadlines,
    drains,
    interference,
    interruptions,
    ledgers,
    models,
    records,
    refusals,
    sources_and_sinks,
    successes,
)
from tests.e2e.ends.end import End, Section

SECTIONS: Final[tuple[Section, ...]] = (
    successes.SECTION,
    records.SECTION,
    sources_and_sinks.SECTION,
    models.SECTION,
    interruptions.SECTION,
    deadlines.SECTION,
    capacity.SECTION,
    cancelled.CANCELLED,
    cancelled.COMPLETED,
    drains.SECTION,
    interference.SECTION,
    ledgers.SECTION,
    *refusals.SECTIONS,
)
ENDS: Final[Mapping[str, End]] = {end.id: end for section in SECTIONS for end in section.ends}
"""Every row by its id."""
