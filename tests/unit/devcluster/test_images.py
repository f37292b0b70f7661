"""Images made without pulling any."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from scheduler.devcluster import images, toolchain
from scheduler.devcluster.home import Home
from scheduler.devcluster.images import Image

REGISTRY = "10.217.0.1:5000"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    given = Home(root=tmp_path)
    given.bin.mkdir()
    for program in ("pause", *(program.name for program in toolchain.TEKTON)):
        (given.bin / program).write_text("program")
        (given.bin / f"{program}.stamp").write_text(program)
    return given


def everything(home: Home, mirror: str = "http://mirror.example.org/debian") -> tuple[Image, ...]:
    return images.all_images(home, REGISTRY, mirror)


def stamp(home: Home, made: tuple[Image, ...]) -> None:
    home.stamps.mkdir(parents=True, exist_ok=True)
    for image in made:
        (home.stamps / image.reference.replace("/", "_").replace(":", "_")).write_text(images.recipe(image))


def test_every_image_but_the_base_runs_as_a_numeric_user(home: Home) -> None:
    """Without a number Kubernetes cannot see that a user is not root."""
    users = {image.reference: re.search(r"^USER (\d+):(\d+)$", image.containerfile, re.M) for image in everything(home)}
    assert [reference for reference, user in users.items() if user is None] == [images.BASE]


def test_no_image_is_pulled_from_anywhere_else(home: Home) -> None:
    parents = {image.containerfile.split()[1] for image in everything(home)}
    assert parents == {"scratch", f"{REGISTRY}/{images.BASE}"}


def test_tektons_programs_lie_where_tekton_calls_them(home: Home) -> None:
    (entrypoint,) = (image for image in everything(home) if "tekton-entrypoint" in image.reference)
    assert "COPY tekton-entrypoint /ko-app/entrypoint\n" in entrypoint.containerfile
    assert entrypoint.reference == f"modelops/tekton-entrypoint:{toolchain.version(toolchain.TEKTON[0])}"


def test_nothing_is_made_twice(home: Home) -> None:
    stamp(home, everything(home))
    assert images.missing(home, everything(home), has=lambda reference: True) == ()


def test_what_the_registry_lost_is_made_again(home: Home) -> None:
    stamp(home, everything(home))
    (lost,) = images.missing(home, everything(home), has=lambda reference: reference != images.SHELL)
    assert lost.reference == images.SHELL


def test_a_program_built_again_makes_its_image_again(home: Home) -> None:
    stamp(home, everything(home))
    (home.bin / "pause.stamp").write_text("newer")
    (changed,) = images.missing(home, everything(home), has=lambda reference: True)
    assert changed.reference == "modelops/pause:1"


def test_another_base_makes_what_stands_on_it_too(home: Home) -> None:
    stamp(home, everything(home))
    changed = images.missing(home, everything(home, mirror="http://other.example.org"), has=lambda reference: True)
    assert [image.reference for image in changed] == [images.BASE, images.SHELL]


def test_the_base_has_our_user(home: Home) -> None:
    (base,) = (image for image in everything(home) if image.root_filesystem)
    line = " ".join(base.root_filesystem)
    assert "modelops:x:10001:10001" in line
    assert "--include=python3,python3-venv,ca-certificates" in line
    assert line.endswith("trixie root.tar http://mirror.example.org/debian")


def test_without_a_known_mirror_mmdebstrap_chooses(home: Home) -> None:
    (base,) = (image for image in everything(home, mirror="") if image.root_filesystem)
    assert base.root_filesystem[-1] == "root.tar"


def test_a_recipe_depends_on_every_part(home: Home) -> None:
    image = Image(reference="a:1", containerfile="FROM scratch")
    changed = [replace(image, reference="b:1"), replace(image, containerfile="x"), replace(image, parent="y")]
    assert len({images.recipe(one) for one in (image, *changed)}) == 4
