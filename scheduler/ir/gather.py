"""Documents from wherever they come, held to the limits, and foreign dialects turned into ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from scheduler.errors import InvalidInputError
from scheduler.ir import given as given_documents
from scheduler.ir import read
from scheduler.ir.composer import Budget
from scheduler.ir.folder import Text
from scheduler.ir.front_end import FrontEnd
from scheduler.ir.source import Source, Sourced
from scheduler.model.problem import Problem

NOT_A_MAPPING: Final = "a document is a mapping with 'kind', 'metadata' and 'spec'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Documents, not yet checked, and why some are missing."""

    documents: tuple[Sourced, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def is_complete(self) -> bool:
        """False when something could not be read: whoever looks for a name may not find it here."""
        return not self.problems


def texts(given: Iterable[Text], *, front_ends: Sequence[FrontEnd] = ()) -> Gathered:
    """Documents of texts, and the faults of those that were not read."""
    budget = Budget()
    problems: list[Problem] = []
    documents: list[Sourced] = []
    for text in given:
        if text.fault:
            problems.append(Problem(message=text.fault, file=text.file))
            continue
        try:
            documents += read.parse(text.content, file=text.file, budget=budget)
        except InvalidInputError as error:
            problems += error.problems
    return _converted(documents, problems, front_ends, budget)


def given(
    documents: Sequence[object], *, sources: Sequence[Source] = (), front_ends: Sequence[FrontEnd] = ()
) -> Gathered:
    """Documents that others parsed, each with its source when there are sources."""
    budget = Budget()
    problems: list[Problem] = []
    kept: list[Sourced] = []
    origins = sources or [Source()] * len(documents)
    for position, (document, source) in enumerate(zip(documents, origins, strict=True)):
        if not isinstance(document, Mapping):
            problems.append(Problem(message=NOT_A_MAPPING, document=f"document {position + 1}", file=source.file))
            continue
        sourced = Sourced(document=document, source=source, position=position)
        found = given_documents.problems(sourced, budget=budget)
        problems += found
        if not found:
            kept.append(sourced)
    return _converted(kept, problems, front_ends, budget)


def _converted(
    documents: Sequence[Sourced], problems: list[Problem], front_ends: Sequence[FrontEnd], budget: Budget
) -> Gathered:
    ours: list[Sourced] = []
    for sourced in documents:
        front_end = next((one for one in front_ends if one.claims(sourced.document)), None)
        if front_end is None:
            ours.append(sourced)
            continue
        try:
            made = front_end.convert(sourced.document, sourced.source)
        except InvalidInputError as error:
            problems += error.problems
            continue
        for one in (replace(each, position=sourced.position) for each in made):
            found = given_documents.problems(one, budget=budget)
            problems += found
            ours += [one] if not found else []
    return Gathered(documents=tuple(ours), problems=tuple(problems))
