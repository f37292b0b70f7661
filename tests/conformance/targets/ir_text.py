"""Fuzz target: any text is an IR, or a set of problems within the reader's limits of time; nothing else comes out."""

from __future__ import annotations

import sys
import time
from typing import Final

import atheris

with atheris.instrument_imports(include=["scheduler.ir", "scheduler.model"]):
    from scheduler.errors import InvalidInputError, TooLargeError
    from scheduler.ir import load

MOST_SECONDS: Final = 2.0
"""For one text of at most 64 KiB, with the fuzzer's own instruments in the code."""


def one_input(data: bytes) -> None:
    began = time.process_time()
    name = "ir.json" if data[:1] in {b"{", b"["} else "ir.yaml"
    try:
        loaded = load.from_text(data, file=name)
    except (InvalidInputError, TooLargeError) as error:
        if isinstance(error, InvalidInputError) and not error.problems:
            raise AssertionError("refused without a problem") from error
        str(error).encode()  # whoever asked can be told
    else:
        again = load.from_documents(loaded.documents, require_digests=False)
        if again.digest != loaded.digest:
            raise AssertionError("what was loaded loads as something else")
    if (spent := time.process_time() - began) > MOST_SECONDS:
        raise AssertionError(f"{spent:.1f} s for {len(data)} bytes")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
