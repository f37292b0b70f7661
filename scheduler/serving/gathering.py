"""Requests that have come while their model was busy, or in the same moment, are answered by its next call.

Nothing waits for others to come: the next call takes what there is. Alone, a request is called for on the loop's next
turn, when all that has arrived with it has been read.
"""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import TypeAlias

from scheduler.serving import together
from scheduler.serving.execution import Lane
from scheduler.serving.inference import Order, Scored
from scheduler.serving.together import Outcome

_Waiting: TypeAlias = tuple[Order, asyncio.Future[Scored]]


class Gathering:
    """The small requests of one model."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._waiting: deque[_Waiting] = deque()
        self._calling: asyncio.Task[None] | None = None

    async def answer(self, order: Order) -> Scored:
        """What `inference.answer` gives or raises; ServerBusyError when as many requests wait as may wait."""
        with self._lane.entered(size=len(order.body)):
            future: asyncio.Future[Scored] = asyncio.get_running_loop().create_future()
            self._waiting.append((order, future))
            if self._calling is None:
                self._calling = asyncio.create_task(self._call())
            return await future

    async def _call(self) -> None:
        """Call the model until nothing waits."""
        try:
            while self._waiting:
                taken = [self._waiting.popleft() for _ in range(min(together.MOST, len(self._waiting)))]
                for (_, future), outcome in zip(taken, await self._outcomes(taken), strict=True):
                    if future.done():  # whoever asked is gone
                        continue
                    if isinstance(outcome, Exception):
                        future.set_exception(outcome)
                    else:
                        future.set_result(outcome)
                if self._waiting:
                    await asyncio.sleep(0)  # others, health among them, have their turn
        finally:
            self._calling = None

    async def _outcomes(self, taken: list[_Waiting]) -> list[Outcome]:
        orders = [order for order, future in taken]
        try:
            return await self._lane.call(partial(together.answers, orders), requests=len(orders))
        except Exception as fault:  # noqa: BLE001 - such as a thread that takes nothing more
            return [fault] * len(taken)
