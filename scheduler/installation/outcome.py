"""What a step of the installation leaves behind as its Tekton result `outcome`: JSON of at most 1 KB."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

MAX_BYTES: Final = 1024
_CUT: Final = "… "


class State(StrEnum):
    BUILT = "built"
    SKIPPED = "skipped"
    """The registry has that content already."""
    DEPLOYED = "deployed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one step ended."""

    state: State
    seconds: int = 0
    tag: str = ""
    """Of the image: the digest of all that it is made from."""
    message: str = ""
    """Why it failed: what, then the last words of the program that did, then the remedy."""

    @property
    def is_success(self) -> bool:
        return self.state is not State.FAILED

    def text(self) -> str:
        """As JSON that fits; of a message that is too long the middle is left out, as reason and remedy are its ends.

        >>> Outcome(state=State.BUILT, seconds=3, tag="ab").text()
        '{"state":"built","seconds":3,"tag":"ab","message":""}'
        """
        message = self.message
        while len(self._json(message).encode()) > MAX_BYTES:
            half = max(0, len(message) // 2 - 8)
            message = message[:half].removesuffix(_CUT) + _CUT + message[len(message) - half :].removeprefix(_CUT)
        return self._json(message)

    def _json(self, message: str) -> str:
        fields = {"state": self.state.value, "seconds": self.seconds, "tag": self.tag, "message": message}
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def parse(text: str) -> Outcome | None:
    """The outcome in a result; None when it is none, as of a step that was killed while it wrote."""
    try:
        given: Mapping[str, Any] = json.loads(text)
        return Outcome(
            state=State(given["state"]),
            seconds=int(given.get("seconds", 0)),
            tag=str(given.get("tag", "")),
            message=str(given.get("message", "")),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
