"""The jobs of the rows about streams and drains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.e2e import recipes
from tests.e2e.ends import streams
from tests.e2e.ends.running import Case
from tests.e2e.recipes import BATCH, Recipe


def _many(recipe: Recipe) -> bytes:
    return recipe.source_of(recipes.rows(400 * BATCH))


CASES: Final[Mapping[str, Case]] = {
    "stream-killed-and-drained": Case(recipe=streams.LIVE, source=streams.beginning, meanwhile=streams.live),
    "drained-then-cancelled": Case(
        recipe=streams.IMPATIENT, source=streams.beginning, meanwhile=streams.drain_then_cancel
    ),
    "stream-source-rotated": Case(recipe=streams.ROTATED, source=streams.beginning, meanwhile=streams.rotate),
    "batch-drained": Case(
        recipe=Recipe(name="drained", artifact=recipes.SLEEP), source=_many, meanwhile=streams.drain_twice
    ),
    "drained-while-queued": Case(recipe=Recipe(name="drained-queued"), meanwhile=streams.drain),
    "drained-while-installing": Case(
        recipe=Recipe(name="drained-early", artifact=recipes.SLOW_TO_LOAD), meanwhile=streams.drain_while_installing
    ),
}
