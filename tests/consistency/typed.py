"""What a document tells its reader to type: calls of `modelops` and `make`, and whether the program takes them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any, Final

import typer

from scheduler.cli import app

FENCED: Final = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INLINE: Final = re.compile(r"`((?:MODELOPS_CLUSTER=current )?(?:modelops|make) [^`]+)`")
# `MODELOPS_CLUSTER=current modelops …` among them; a command ends where its output goes elsewhere
_TYPED: Final = re.compile(r"^(?:\$ |[A-Z_]+=\S+ )*((?:modelops|make) .*?)(?: [|&>].*)?$")


def in_markdown(text: str) -> Iterator[str]:
    """Each call in a Markdown document, without comment and prompt."""
    for language, block in FENCED.findall(text):
        if language in {"", "sh"}:
            yield from in_lines(block)
    for found in _INLINE.findall(FENCED.sub("", text)):
        yield from in_lines(found.replace("\n", " "))


def in_lines(text: str) -> Iterator[str]:
    """Each line that is a call; one that goes on behind a backslash is one line."""
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        typed = _TYPED.match(line.partition("  #")[0].strip())
        if typed and "►" not in line:  # no picture
            yield typed[1].strip()


def check(call: str) -> None:
    """Let the command itself parse a call of `modelops`, and not run it; AssertionError or click's when it refuses."""
    words = [word for word in shlex.split(call)[1:] if word != "…"]
    if "|" in call:  # `modelops cluster up|down|status`
        words = [word.partition("|")[0] for word in words]
    command: Any = typer.main.get_command(app.app)
    path = ["modelops"]
    while words and getattr(command, "commands", None) and not words[0].startswith("-"):
        assert words[0] in command.commands, f"there is no {' '.join([*path, words[0]])}"
        path.append(words[0])
        command = command.get_command(None, words.pop(0))
    required = [one for one in command.params if one.required]
    if not words and required:
        return  # the command's name alone, in a sentence
    known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
    if words[:1] and words[0] in known and getattr(command, "commands", None):
        return  # an option of the whole program, such as --install-completion
    command.make_context(" ".join(path), words)
