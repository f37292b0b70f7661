"""References of images."""

from __future__ import annotations

import pytest

from scheduler.images import references

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    "reference",
    [
        "registry.example.com/debian:13",
        "docker.io/library/debian:trixie",
        "r.example/acme/team/base",
        "10.217.0.1:5000/modelops/base:trixie",
        "[fd00::1]:5000/base:13",
        "registry:5000/base:13",
        "localhost/base:13",
        f"registry.example.com/base@{DIGEST}",
        f"registry.example.com/base:13@{DIGEST}",
    ],
)
def test_a_reference_that_says_where_its_image_is_has_no_fault(reference: str) -> None:
    assert references.fault(reference) == ""


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("debian:trixie", "names no registry; with one it is such as docker.io/library/debian:trixie"),
        ("python", "such as docker.io/library/python"),
        ("acme/base:13", "such as docker.io/acme/base:13"),
        ("scratch", "names no registry"),
        ("", "names no registry"),
        ("registry:port/base:13", "is no reference of an image"),
        ("registry.example.com/Base:13", "is no reference of an image"),
        ("registry.example.com/base@sha256:ab", "is no reference of an image"),
        ("https://registry.example.com/base:13", "is no reference of an image"),
    ],
)
def test_any_other_is_told_what_would_be_right(reference: str, words: str) -> None:
    assert words in references.fault(reference)
