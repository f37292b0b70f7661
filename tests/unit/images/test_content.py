from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from scheduler.images import content
from scheduler.images.content import ContextFile

FILES = (ContextFile(path="a", sha256="1"), ContextFile(path="b/c", sha256="2", is_executable=True))


def _tag(
    containerfile: str = "FROM x",
    files: Sequence[ContextFile] = FILES,
    args: Mapping[str, str] = {"A": "1"},
    base_digest: str = "sha256:base",
    earlier_digests: Mapping[str, str] = {"shell": "sha256:shell"},
) -> str:
    return content.tag(
        containerfile=containerfile, files=files, args=args, base_digest=base_digest, earlier_digests=earlier_digests
    )


def test_equal_content_has_an_equal_tag_in_any_order() -> None:
    assert _tag(files=FILES[::-1]) == _tag()
    assert len(_tag()) == 64


@pytest.mark.parametrize(
    "change",
    [
        {"containerfile": "FROM y"},
        {"files": FILES[:1]},
        {"files": (FILES[0], ContextFile(path="b/c", sha256="3", is_executable=True))},
        {"files": (FILES[0], ContextFile(path="b/c", sha256="2"))},
        {"files": (FILES[0], ContextFile(path="b/d", sha256="2", is_executable=True))},
        {"args": {"A": "2"}},
        {"args": {}},
        {"base_digest": "sha256:other"},
        {"earlier_digests": {"shell": "sha256:other"}},
    ],
)
def test_any_change_of_what_it_is_made_from_changes_the_tag(change: dict[str, Any]) -> None:
    assert _tag(**change) != _tag()
