"""Holds the flow back until every scoring service that it needs has its model ready."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import quote, urlsplit

from scheduler.flow.config import Service
from scheduler.flow.failure import FlowFailedError
from scheduler.model.job import Reason

FIRST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 0.25
SHARE: Final = 0.02
"""Of what has been waited already: a pause adds so much at most."""
TIMEOUT: Final = 5.0


def wait(
    services: Sequence[Service], *, seconds: float, pause: Callable[[float], None], say: Callable[[str], None]
) -> None:
    """Return when every service answers 200 to Open Inference's model-ready question.

    `pause` waits so many seconds and may raise to end the waiting; `say` hears what is waited for. Raises
    FlowFailedError(ReadyDeadline) when `seconds` are over.
    """
    began = time.monotonic()
    for service in services:
        while why := _not_ready(service):
            message = f"model '{service.model}' at {service.url} is not ready: {why}"
            say(message)
            waited = time.monotonic() - began
            interval = min(LONGEST_PAUSE, max(FIRST_PAUSE, SHARE * waited))
            if waited + interval > seconds:
                raise FlowFailedError(Reason.READY_DEADLINE, f"{message} (after {seconds:.0f} s)")
            pause(interval)
    say("")


def _not_ready(service: Service) -> str:
    """Why the service is not ready; empty when it is."""
    address = urlsplit(service.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port or 80, timeout=TIMEOUT)
    try:
        connection.request("GET", f"{address.path.rstrip('/')}/v2/models/{quote(service.model, safe='')}/ready")
        response = connection.getresponse()
        body = response.read(200)
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
    return (
        "" if response.status == http.client.OK else f"HTTP {response.status} {body.decode(errors='replace').strip()}"
    )
