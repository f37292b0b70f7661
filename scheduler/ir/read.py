"""Text → documents with the line of every part, within the limits; nothing of their meaning is checked here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scheduler.errors import InvalidInputError, TooLargeError
from scheduler.ir import composer, events, json_events, limits, words, yaml_events
from scheduler.ir.source import Branch, Source, Sourced
from scheduler.model.problem import Problem

_MARK = b"\xef\xbb\xbf"


def parse(text: str | bytes, *, file: str = "", budget: composer.Budget | None = None) -> tuple[Sourced, ...]:
    """The documents of one text: JSON when `file` ends in `.json` (a list holds several documents), YAML otherwise.

    Empty documents are left out. InvalidInputError with every problem up to the first that cannot be read past;
    TooLargeError beyond the limits. `budget` counts the nodes of several texts together.
    """
    given = _checked(text, file)
    stream = json_events.parse(given.decode()) if file.endswith(".json") else yaml_events.parse(given)
    composed = composer.compose(stream, file=file, budget=budget or composer.Budget())
    roots = _unlisted(composed.roots) if file.endswith(".json") else composed.roots
    problems = [*composed.problems, *_not_mappings(roots, file)]
    if problems:
        raise InvalidInputError(sorted(problems, key=lambda problem: problem.line))
    mappings = [root for root in roots if root.value is not None]
    return tuple(
        Sourced(document=root.value, source=Source(file=file, places=root.places), position=position)
        for position, root in enumerate(mappings)
    )


def _checked(text: str | bytes, file: str) -> bytes:
    """The text as UTF-8 without byte order mark."""
    if len(text) > limits.BYTES:
        raise _too_large(file)
    try:
        given = text if isinstance(text, bytes) else text.encode()
        given.decode()  # PyYAML would take UTF-16 as well
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InvalidInputError([Problem(message="the text is not UTF-8", file=file, line=line)]) from error
    except UnicodeEncodeError as error:
        line = error.object.count("\n", 0, error.start) + 1
        raise InvalidInputError([Problem(message=events.NOT_UNICODE, file=file, line=line)]) from error
    if len(given) > limits.BYTES:
        raise _too_large(file)
    return given.removeprefix(_MARK)


def _too_large(file: str) -> TooLargeError:
    where = f"{file}: " if file else ""
    return TooLargeError(f"{where}more than {limits.BYTES // (1024 * 1024)} MiB of text")


def _unlisted(roots: Sequence[composer.Root]) -> Sequence[composer.Root]:
    return [one for root in roots for one in _of_list(root)]


def _of_list(root: composer.Root) -> Iterator[composer.Root]:
    if not isinstance(root.value, list) or not isinstance(root.places, Branch):
        yield root
        return
    for value, places in zip(root.value, root.places.children, strict=True):
        # the places of a list's items are places, those of a mapping's would be its keys
        yield composer.Root(value=value, places=places if not isinstance(places, str) else 0)


def _not_mappings(roots: Sequence[composer.Root], file: str) -> Iterator[Problem]:
    for root in roots:
        if root.value is not None and not isinstance(root.value, dict):
            line = root.places if isinstance(root.places, int) else root.places.line
            shown = words.shown(root.value)
            message = f"a document is a mapping with 'kind', 'metadata' and 'spec', not {shown}"
            yield Problem(message=message, file=file, line=line)
