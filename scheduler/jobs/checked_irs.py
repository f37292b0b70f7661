"""IRs that were checked lately: jobs of one pipeline bring the same documents again and again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from scheduler.ir import load
from scheduler.ir.load import Loaded
from scheduler.model import canonical
from scheduler.model.types import Document

KEPT: Final = 64
LONGEST: Final = 64 * 1024
"""Bytes; a longer IR is checked each time, so that what is kept stays small."""


class CheckedIrs:
    """Loads documents as `ir.load` does; equal ones that had no fault are checked once. Safe for many threads.

    What is given out is shared by all who ask, and nobody changes it.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[tuple[str, ...], bytes], Loaded] = OrderedDict()
        self._lock = threading.Lock()

    def load(self, documents: Sequence[Document], *, model_types: tuple[str, ...]) -> Loaded:
        text = canonical.json_bytes(list(documents))
        key = (model_types, text)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        loaded = load.from_documents(documents, model_types=model_types)
        if len(text) <= LONGEST:
            with self._lock:
                self._known[key] = loaded
                while len(self._known) > KEPT:
                    self._known.popitem(last=False)
        return loaded
