"""One fault in an input."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One fault: where it is, what is wrong in the reader's words, and what would have been right."""

    message: str
    pointer: str = ""
    """JSON pointer (RFC 6901) into the document."""
    file: str = ""
    line: int = 0
    """1-based line in `file`; 0 when unknown (a document that came as JSON over HTTP)."""
    document: str = ""
    """`kind/name` of the document, when it has one."""
    candidates: tuple[str, ...] = field(default=())
    """Names that would have been right, nearest first."""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part)
        where = " ".join(part for part in (place, self.document, self.pointer) if part)
        verb = "is" if len(self.candidates) == 1 else "are"
        hint = f" (there {verb} {_listed(self.candidates)})" if self.candidates else ""
        return f"{where}: {self.message}{hint}" if where else f"{self.message}{hint}"


def _listed(names: tuple[str, ...]) -> str:
    quoted = [f"'{name}'" for name in names[:8]]
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(quoted) + more
