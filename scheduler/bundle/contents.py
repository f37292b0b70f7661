"""What is in a bundle: an OCI image layout, the charts, and a manifest with the digest of each. Pure.

oci-layout, index.json, blobs/sha256/<hex>    as any tool for OCI layouts reads them
charts/<name>-<version>.tgz                   as helm packs them
manifest.json                                 version, platform, images {name: digest}, charts {file: digest}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from scheduler.errors import InvalidInputError
from scheduler.images import references
from scheduler.images.step import TOOLS
from scheduler.model.problem import Problem
from scheduler.model.types import Values

MANIFEST: Final = "manifest.json"
INDEX: Final = "index.json"
LAYOUT: Final = "oci-layout"
LAYOUT_TEXT: Final = '{"imageLayoutVersion": "1.0.0"}\n'
_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """A part that a manifest names."""

    digest: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    platform: str
    """Version of the program that made the bundle."""
    images: Mapping[str, str]
    """Name -> digest."""
    charts: Mapping[str, str]
    """File name -> digest."""

    def text(self) -> str:
        fields = {"version": _VERSION, "platform": self.platform, "images": self.images, "charts": self.charts}
        return json.dumps(fields, indent=2, sort_keys=True) + "\n"


def parse(text: str) -> Contents:
    try:
        given = json.loads(text)
        if given["version"] != _VERSION:
            raise ValueError(f"its version is {given['version']}, and this program knows {_VERSION}")
        images, charts = dict(given["images"]), dict(given["charts"])
        if not all(isinstance(text, str) for text in (given["platform"], *images.values(), *charts.values())):
            raise ValueError("platform and digests must be texts")
        return Contents(platform=given["platform"], images=images, charts=charts)
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidInputError([Problem(document=MANIFEST, message=f"is no bundle's manifest: {error}")]) from error


def blob_path(digest: str) -> str:
    """
    >>> blob_path("sha256:ab")
    'blobs/sha256/ab'
    """
    algorithm, _, value = digest.partition(":")
    return f"blobs/{algorithm}/{value}"


def index_text(images: Mapping[str, Descriptor]) -> str:
    """index.json: each image under its name."""
    manifests = [
        {
            "mediaType": image.media_type,
            "digest": image.digest,
            "size": image.size,
            "annotations": {"org.opencontainers.image.ref.name": f"modelops/{name}"},
        }
        for name, image in sorted(images.items())
    ]
    return json.dumps({"schemaVersion": 2, "manifests": manifests}, indent=2) + "\n"


def children(content: bytes) -> tuple[tuple[Descriptor, ...], tuple[Descriptor, ...]]:
    """(manifests, blobs) that a manifest or an index names."""
    try:
        given: Mapping[str, Any] = json.loads(content)
        manifests = tuple(_descriptor(item) for item in given.get("manifests") or ())
        listed = [*([given["config"]] if "config" in given else []), *(given.get("layers") or ())]
        return manifests, tuple(_descriptor(item) for item in listed)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidInputError([Problem(message=f"an image's manifest cannot be read: {error}")]) from error


def media_type(content: bytes) -> str:
    """What a manifest says that it is."""
    given = json.loads(content)
    standard = "index" if "manifests" in given else "manifest"
    return str(given.get("mediaType") or f"application/vnd.oci.image.{standard}.v1+json")


def wanted(values: Values) -> Mapping[str, str]:
    """Image name -> reference by digest, of all that a platform with these values runs; what lacks one is refused.

    As for helm, null is what is not given.
    """
    global_ = _mapping(values, "global")
    images = _mapping(global_, "images", "global.")
    found = {str(name): reference for name, reference in images.items() if reference is not None}
    tools = _mapping(global_, "build", "global.").get("tools")
    if tools:
        found[TOOLS] = tools
    pull = pull_registry(values)
    problems = [
        Problem(pointer=f"global.images.{name}", message=f"'{reference}' has no digest")
        for name, reference in found.items()
        if not (isinstance(reference, str) and "@sha256:" in reference)
    ]
    if TOOLS not in found:
        problems.append(Problem(pointer="global.build.tools", message="missing: hooks and the deployment run it"))
    if set(found) <= {TOOLS}:
        problems.append(Problem(pointer="global.images", message="names no image of a server"))
    if problems:
        raise InvalidInputError(problems)
    return {name: _whole(reference, pull) for name, reference in sorted(found.items())}


def pull_registry(values: Values) -> str:
    """The registry as nodes name it; empty: the values name none."""
    return str(_mapping(_mapping(values, "global"), "registry", "global.").get("pull") or "")


def values_of(contents: Contents, *, push: str, pull: str) -> Values:
    """Helm values that install the platform from the registry a bundle was loaded into, without a build."""
    images = {name: f"{references.image(pull, name)}@{digest}" for name, digest in sorted(contents.images.items())}
    tools = images.pop(TOOLS, "")
    return {
        "global": {
            "registry": {"push": push, "pull": pull},
            "build": {"enabled": False, "tools": tools},
            "images": images,
        }
    }


def _mapping(values: Values, key: str, above: str = "") -> Values:
    found = values.get(key) or {}
    if not isinstance(found, Mapping):
        raise InvalidInputError([Problem(pointer=f"{above}{key}", message="must be a mapping")])
    return found


def _descriptor(item: Mapping[str, Any]) -> Descriptor:
    return Descriptor(digest=item["digest"], size=int(item["size"]), media_type=item.get("mediaType", ""))


def _whole(reference: str, pull: str) -> str:
    """A reference without a registry is looked for in the one that nodes pull from, as the charts do."""
    return f"{pull}/{reference}" if pull and not references.has_registry(reference) else reference
