"""The examples below each command's help."""

from __future__ import annotations


def of(*lines: str) -> str:
    """Text for a command's epilog: the lines as they are, not filled into a paragraph."""
    return "Examples:\n\n\b\n" + "\n".join(f"  {line}" for line in lines)
