"""The door for other dialects: a front end turns a foreign document into documents of the IR.

What comes out goes through the same checks as hand-written documents, and its problems point at what the author wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from scheduler.ir.source import Source, Sourced
from scheduler.model.types import Document


class FrontEnd(Protocol):
    """One dialect."""

    def claims(self, document: Document) -> bool:
        """Whether this front end converts `document`; asked for each document, with nothing checked yet."""
        ...

    def convert(self, document: Document, source: Source) -> Sequence[Sourced]:
        """Documents of the IR, each with a source whose `moved` leads back to the author's text.

        InvalidInputError, with every problem, when the document is not right in its own dialect.
        """
        ...
