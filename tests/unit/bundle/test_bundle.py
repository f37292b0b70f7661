"""A bundle is made from one registry and loaded into another."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from scheduler import assets, digests
from scheduler.bundle import contents, creating, loading, packing
from scheduler.bundle.contents import Contents
from scheduler.errors import DigestMismatchError, InvalidInputError, SchedulerError
from scheduler.images.fake import FakeStore
from scheduler.images.store import Document

HOST = "registry.example.com"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def put(store: FakeStore, name: str, *layers: bytes) -> str:
    """An image; its digest."""
    parts = [b'{"config": true}', *layers]
    for part in parts:
        store.blobs[f"modelops/{name}", digests.of(part)] = part
    config, *rest = ({"digest": digests.of(part), "size": len(part), "mediaType": "x"} for part in parts)
    content = json.dumps({"mediaType": MANIFEST, "config": config, "layers": rest, "name": name}).encode()
    store.put_manifest(f"modelops/{name}", "tag", Document(content=content, media_type=MANIFEST))
    return digests.of(content)


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    (folder / "build").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("name: small\nversion: 0.1.0\n")
    (folder / "build" / "Containerfile").write_text("FROM scratch")
    return folder


def create(store: FakeStore, chart: Path, **images: str) -> Contents:
    references = {name.replace("_", "-"): f"{HOST}/modelops/{name.replace('_', '-')}@{images[name]}" for name in images}
    archive = chart.parent / "bundle.tar"
    return creating.create(archive, references, [chart], store_of=lambda _: store, tell=lambda _: None)


def load(chart: Path, store: FakeStore, *, registry: str = HOST) -> Contents:
    archive, charts = chart.parent / "bundle.tar", chart.parent / "charts"
    return loading.load(archive, registry=registry, store=store, charts=charts, tell=lambda _: None)


def test_everything_that_was_in_the_registry_is_in_the_other_one(chart: Path) -> None:
    here, there = FakeStore(), FakeStore()
    images = {"a": put(here, "a", b"shared", b"own of a"), "b": put(here, "b", b"shared", b"")}

    made = create(here, chart, **images)

    assert made == load(chart, there)
    assert made.images == images
    assert there.blobs == here.blobs
    for name, digest in images.items():
        assert there.manifest(f"modelops/{name}", digest) == here.manifest(f"modelops/{name}", digest)
    assert digests.of((chart.parent / "charts" / "small-0.1.0.tgz").read_bytes()) == made.charts["small-0.1.0.tgz"]


def test_a_registry_with_a_path_has_everything_below_it(chart: Path) -> None:
    here, there = FakeStore(), FakeStore()
    digest = put(here, "a", b"layer")
    create(here, chart, a=digest)

    load(chart, there, registry=f"{HOST}/acme/team")

    assert {repository for repository, _ in (*there.manifests, *there.blobs)} == {"acme/team/modelops/a"}
    assert there.manifest("acme/team/modelops/a", digest) == here.manifest("modelops/a", digest)


def test_an_index_comes_with_all_that_it_names(chart: Path) -> None:
    here, there = FakeStore(), FakeStore()
    inner = put(here, "a", b"layer")
    size = len(here.manifest("modelops/a", inner).content)
    content = json.dumps({"mediaType": INDEX, "manifests": [{"digest": inner, "size": size}]}).encode()
    here.put_manifest("modelops/a", "all", Document(content=content, media_type=INDEX))

    create(here, chart, a=digests.of(content))
    load(chart, there)

    assert there.manifest("modelops/a", digests.of(content)).media_type == INDEX
    assert there.manifest("modelops/a", inner) == here.manifest("modelops/a", inner)


def test_the_archive_is_an_oci_layout_that_holds_each_blob_once(chart: Path) -> None:
    here = FakeStore()
    create(here, chart, a=put(here, "a", b"shared"), b=put(here, "b", b"shared"))

    with tarfile.open(chart.parent / "bundle.tar") as archive:
        names = archive.getnames()
        index = json.load(archive.extractfile(contents.INDEX) or pytest.fail("there is no index"))
    assert len(names) == len(set(names))
    assert {item["annotations"]["org.opencontainers.image.ref.name"] for item in index["manifests"]} == {
        "modelops/a",
        "modelops/b",
    }
    assert {contents.blob_path(item["digest"]) for item in index["manifests"]} <= set(names)
    assert {contents.LAYOUT, contents.MANIFEST, "charts/small-0.1.0.tgz"} <= set(names)


def test_blobs_that_are_there_are_not_sent_again(chart: Path) -> None:
    here, there = FakeStore(), FakeStore()
    create(here, chart, a=put(here, "a", b"layer"))
    load(chart, there)
    there.put_blob = lambda *_, **__: pytest.fail("sent again")  # type: ignore[method-assign]

    load(chart, there)


@pytest.mark.parametrize("damage", [b"LAYER", b"lay", b"layer and more"])
def test_a_damaged_blob_makes_no_bundle(chart: Path, damage: bytes) -> None:
    here = FakeStore()
    digest = put(here, "a", b"layer")
    here.blobs["modelops/a", digests.of(b"layer")] = damage

    with pytest.raises(DigestMismatchError):
        create(here, chart, a=digest)
    assert not list(chart.parent.glob("bundle.tar*"))


def test_a_manifest_that_is_another_makes_no_bundle(chart: Path) -> None:
    here = FakeStore()
    digest = put(here, "a", b"layer")
    here.manifests["modelops/a", digest] = Document(content=b"{}", media_type=MANIFEST)

    with pytest.raises(DigestMismatchError, match="the manifest of modelops/a has the digest"):
        create(here, chart, a=digest)


def test_equal_images_and_charts_make_the_same_bytes(chart: Path) -> None:
    here = FakeStore()
    digests = {"b": put(here, "b", b"shared", b"own"), "a": put(here, "a", b"shared")}
    archive = chart.parent / "bundle.tar"

    create(here, chart, **digests)
    first = archive.read_bytes()
    create(here, chart, **dict(reversed(digests.items())))

    assert archive.read_bytes() == first


LAST = b"a layer of some length"
"""Of the image that is sent last."""


@pytest.fixture(name="archive")
def whole_bundle(chart: Path) -> Path:
    here = FakeStore()
    create(here, chart, a=put(here, "a", b"layer"), z=put(here, "z", LAST))
    return chart.parent / "bundle.tar"


def refused(chart: Path, error: type[SchedulerError]) -> str:
    """What it says; nothing has been sent or written."""
    there = FakeStore()
    with pytest.raises(error) as refusal:
        load(chart, there)
    assert (there.blobs, there.manifests) == ({}, {})
    assert not (chart.parent / "charts").exists()
    return str(refusal.value)


def test_of_a_bundle_that_was_changed_nothing_is_sent_and_the_part_is_named(chart: Path, archive: Path) -> None:
    archive.write_bytes(archive.read_bytes().replace(LAST, LAST.upper()))

    said = refused(chart, DigestMismatchError)

    part, found = contents.blob_path(digests.of(LAST)), digests.of(LAST.upper())
    assert f"{part} of z has {len(LAST)} bytes of digest {found}, not" in said


def test_of_a_bundle_whose_chart_was_changed_nothing_is_sent(chart: Path, archive: Path) -> None:
    packed = packing.pack(chart)[1]
    archive.write_bytes(archive.read_bytes().replace(packed, bytes(len(packed))))

    assert "chart small-0.1.0.tgz has the digest" in refused(chart, DigestMismatchError)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_of_a_bundle_that_was_cut_nothing_is_sent(chart: Path, archive: Path, share: float) -> None:
    whole = archive.read_bytes().rstrip(bytes(1))  # an archive ends with blocks of zeros
    archive.write_bytes(whole[: int(share * len(whole))])

    assert "is no whole bundle" in refused(chart, InvalidInputError)


def test_what_is_no_archive_is_no_bundle(chart: Path, archive: Path) -> None:
    archive.write_text("text")

    assert "bundle.tar: is no whole bundle" in refused(chart, InvalidInputError)


def test_charts_are_packed_without_their_builds_and_the_same_each_time(chart: Path) -> None:
    first, second = packing.pack(chart), packing.pack(chart)

    assert first == second
    (chart.parent / first[0]).write_bytes(first[1])
    with tarfile.open(chart.parent / first[0]) as archive:
        assert archive.getnames() == ["small/Chart.yaml"]


def test_the_platforms_chart_is_packed_with_its_sub_charts(tmp_path: Path) -> None:
    name, content = packing.pack(assets.charts() / "modelops")
    (tmp_path / name).write_bytes(content)
    with tarfile.open(tmp_path / name) as archive:
        names = archive.getnames()
    assert "modelops/charts/scheduling-server/charts/common/templates/_names.tpl" in names
    assert not [entry for entry in names if "/build/" in entry or "/ci/" in entry]


TOOLS = "r.example/modelops/container-tools@sha256:" + "1" * 64
BARE = "bare@sha256:" + "3" * 64
SERVER = "modelops/scheduling-server@sha256:" + "2" * 64


def test_the_images_of_a_platform_are_those_of_its_values() -> None:
    values = {
        "global": {
            "registry": {"pull": "p.example"},
            "build": {"tools": TOOLS},
            "images": {"scheduling-server": SERVER, "bento": f"other.example/{SERVER}", "bare": BARE, "none": None},
        }
    }
    assert contents.wanted(values) == {
        "bare": f"p.example/{BARE}",
        "bento": f"other.example/{SERVER}",
        "container-tools": TOOLS,
        "scheduling-server": f"p.example/{SERVER}",
    }


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"global": {"images": {"a": "b:latest"}}},
        {"global": {"build": {"tools": TOOLS}}},
        {"global": ["a"]},
        {"global": {"images": "a"}},
        {"global": {"build": {"tools": 3}, "images": {"a": 3}}},
        {"global": {"registry": "r.example", "build": {"tools": TOOLS}, "images": {"a": SERVER}}},
    ],
)
def test_values_that_do_not_say_which_images_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError):
        contents.wanted(values)


@pytest.mark.parametrize(
    "given",
    [
        {"images": {"a": 3}},
        {"charts": {"a": None}},
        {"images": ["a"]},
        {"platform": 1},
        {"version": 2},
    ],
)
def test_a_manifest_that_is_none_is_refused(given: dict[str, object]) -> None:
    whole = {"version": 1, "platform": "0.2.0", "images": {}, "charts": {}}
    assert contents.parse(json.dumps(whole))
    for text in (json.dumps(whole | given), "[]", "{"):
        with pytest.raises(InvalidInputError, match="is no bundle's manifest"):
            contents.parse(text)


def test_the_values_of_a_loaded_bundle_install_it_without_a_build() -> None:
    made = Contents(
        platform="0.1.0", images={"container-tools": "sha256:1", "scheduling-server": "sha256:2"}, charts={}
    )
    assert contents.values_of(made, push="a", pull="b") == {
        "global": {
            "registry": {"push": "a", "pull": "b"},
            "build": {"enabled": False, "tools": "b/modelops/container-tools@sha256:1"},
            "images": {"scheduling-server": "b/modelops/scheduling-server@sha256:2"},
        }
    }


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2, "platform": "x", "images": {}, "charts": {}}'])
def test_what_is_no_manifest_of_a_bundle_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="no bundle's manifest"):
        contents.parse(text)
