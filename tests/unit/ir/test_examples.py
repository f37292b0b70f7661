"""The examples are documentation and tests at once: dropping a folder in makes a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler import assets
from scheduler.errors import InvalidInputError, TooLargeError
from scheduler.ir import load

EXAMPLES = assets.root() / "ir-schemas" / "examples"


def folders(kind: str) -> list[Path]:
    return sorted(path for path in (EXAMPLES / kind).iterdir() if path.is_dir())


@pytest.mark.parametrize("folder", folders("valid"), ids=lambda folder: folder.name)
def test_a_valid_example_loads_and_survives_the_way_over_http(folder: Path) -> None:
    loaded = load.from_folder(folder, fill_digests=True)

    again = load.from_documents(loaded.documents)

    assert again.pipeline == loaded.pipeline
    assert again.digest == loaded.digest


@pytest.mark.parametrize("folder", folders("invalid"), ids=lambda folder: folder.name)
def test_an_invalid_example_has_exactly_the_problems_that_stand_beside_it(folder: Path) -> None:
    with pytest.raises((InvalidInputError, TooLargeError)) as refused:
        load.from_folder(folder)

    error = refused.value
    told = [str(problem) for problem in error.problems] if isinstance(error, InvalidInputError) else [str(error)]
    assert told == (folder / "problems.txt").read_text(encoding="utf-8").splitlines()


def test_there_is_an_example_of_every_kind_of_refusal() -> None:
    assert len(folders("invalid")) >= 60


@pytest.mark.parametrize("file", sorted((EXAMPLES / "channels").iterdir()), ids=lambda file: file.name)
def test_an_example_of_a_channel_can_be_registered(file: Path) -> None:
    (given,) = load.channels_from_text(file.read_text(encoding="utf-8"), file=file.name)

    assert given.channel.name == file.stem
    assert load.channels_from_documents([given.document, given.schema]) == (given,)
