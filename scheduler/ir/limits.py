"""How much is read at most. Refusing more costs less than 64 MiB and one second (a test measures)."""

from __future__ import annotations

from typing import Final

BYTES: Final = 4 * 1024 * 1024
"""Of UTF-8 text, all files of an IR together."""
DEPTH: Final = 64
"""Mappings and lists inside each other, after aliases."""
NODES: Final = 10_000
"""Values (mappings, lists, scalars; keys do not count) of one document, after aliases."""
TOTAL_NODES: Final = 100_000
"""Values of all documents of one IR: 1,000 steps and 1,000 models have about 25,000."""
DOCUMENTS: Final = 5_000
"""Of one IR."""
PROBLEMS: Final = 1_000
"""Problems that are listed; one more line tells how many others there are."""
EXPRESSIONS: Final = 128 * 1024
"""Characters inside `{{ }}` of one IR: they are what takes longest to read."""
KEY: Final = 256
"""Characters of a key: pointers are made of them."""
