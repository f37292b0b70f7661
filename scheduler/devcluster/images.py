"""The images that the cluster itself needs, made without pulling any: base, shell, pause and Tekton's programs.

Each is pushed to the registry once and stamped by the digest of its recipe; `make` does again only what changed or what
the registry has lost.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from scheduler import command
from scheduler.devcluster import configuration, toolchain
from scheduler.devcluster.home import Home
from scheduler.errors import ProgramError, UnavailableError

BASE: Final = "modelops/base:trixie"
SHELL: Final = "modelops/shell:trixie"
USER: Final = 10001
"""uid and gid that all our images run as, and that own the volumes."""
TEKTON_USER: Final = 65532
SUITE: Final = "trixie"
_PACKAGES: Final = ("python3", "python3-venv", "ca-certificates")
_ACCEPT: Final = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
_BUILD_LIMIT: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image to make: its name in the registry, its recipe, and the files that the recipe copies."""

    reference: str
    """`repository:tag`, without registry."""
    containerfile: str
    files: tuple[Path, ...] = ()
    root_filesystem: tuple[str, ...] = ()
    """The mmdebstrap command that makes `root.tar` in the context folder; empty for images without a system."""
    parent: str = ""
    """Recipe of the image that this one is made from."""


def tekton(name: str) -> str:
    """Reference, without registry, of the image of Tekton's program `name`."""
    return f"modelops/tekton-{name}:{toolchain.version(toolchain.TEKTON[0])}"


def all_images(home: Home, registry: str, mirror: str) -> tuple[Image, ...]:
    """Every image in the order in which it is made."""
    pause = Image(
        reference=configuration.PAUSE,
        containerfile='FROM scratch\nCOPY pause /pause\nUSER 65535:65535\nENTRYPOINT ["/pause"]\n',
        files=(home.bin / "pause",),
    )
    base = Image(
        reference=BASE,
        containerfile='FROM scratch\nADD root.tar /\nENV LANG=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/bin\nCMD ["sh"]\n',
        root_filesystem=_mmdebstrap(mirror),
    )
    shell = Image(
        reference=SHELL,
        containerfile=f'FROM {registry}/{BASE}\nUSER {TEKTON_USER}:{TEKTON_USER}\nCMD ["/bin/sh"]\n',
        parent=recipe(base),
    )
    return (pause, *(_tekton(home, program.name) for program in toolchain.TEKTON), base, shell)


def recipe(image: Image) -> str:
    """Digest of all that an image is made from."""
    made = hashlib.sha256(
        "\0".join([image.reference, image.containerfile, image.parent, *image.root_filesystem]).encode()
    )
    for file in image.files:
        stamp = file.with_name(f"{file.name}.stamp")
        made.update(stamp.read_bytes() if stamp.exists() else file.read_bytes())
    return made.hexdigest()


def missing(home: Home, images: Sequence[Image], *, has: Callable[[str], bool]) -> tuple[Image, ...]:
    """Those that were never made from this recipe, and those that the registry does not have (any more)."""
    return tuple(image for image in images if not (_is_stamped(home, image) and has(image.reference)))


@contextmanager
def asking(registry: str) -> Iterator[Callable[[str], bool]]:
    """A function that says whether the registry has a reference `repository:tag`."""
    with httpx.Client(timeout=10, trust_env=False) as client:

        def has(reference: str) -> bool:
            repository, tag = reference.rsplit(":", 1)
            url = f"http://{registry}/v2/{repository}/manifests/{tag}"
            try:
                return client.head(url, headers={"Accept": _ACCEPT}).status_code == 200
            except httpx.HTTPError:
                return False

        yield has


def make(home: Home, registry: str, images: Sequence[Image], tell: Callable[[str], None]) -> None:
    """Build and push each of the images, in the order given."""
    if images:
        shutil.rmtree(home.work, ignore_errors=True)
    for number, image in enumerate(images, start=1):
        tell(f"making image {image.reference} ({number} of {len(images)})")
        started = time.monotonic()
        size = _make(home, registry, image, tell)
        _stamp(home, image).parent.mkdir(parents=True, exist_ok=True)
        _stamp(home, image).write_text(recipe(image))
        seconds = time.monotonic() - started
        tell(f"made image {image.reference}: {size / 1e6:.1f} MB in {seconds:.0f} s ({number} of {len(images)})")


def debian_mirror() -> str:
    """The Debian archive that this machine's apt uses; empty on other systems (mmdebstrap then knows where to ask)."""
    words = ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)", "Created-By: Packages"]
    try:
        lines = command.run(words, limit_seconds=30).splitlines()
    except (ProgramError, UnavailableError):
        return ""
    found = [line.split("|", 2)[2] for line in lines if line.startswith("Debian|Debian|")]
    return found[0].rstrip("/") if found else ""


def _tekton(home: Home, program: str) -> Image:
    name = program.removeprefix("tekton-")
    # Tekton calls its own programs by these paths; the numeric user lets `runAsNonRoot` be checked.
    lines = [
        "FROM scratch",
        f"COPY {program} /ko-app/{name}",
        f"USER {TEKTON_USER}:{TEKTON_USER}",
        f'ENTRYPOINT ["/ko-app/{name}"]',
    ]
    return Image(reference=tekton(name), containerfile="\n".join([*lines, ""]), files=(home.bin / program,))


def _mmdebstrap(mirror: str) -> tuple[str, ...]:
    account = (
        f"echo modelops:x:{USER}: >> $1/etc/group;"
        f" echo modelops:x:{USER}:{USER}::/home/modelops:/usr/sbin/nologin >> $1/etc/passwd;"
        f" install -d -o {USER} -g {USER} $1/home/modelops"
    )
    options = (
        "--variant=minbase",
        f"--include={','.join(_PACKAGES)}",
        "--components=main",
        '--aptopt=Acquire::Retries "3"',
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        f"--customize-hook={account}",
        "--quiet",
    )
    # Its mounts live and die with a mount namespace of their own, even when it is killed.
    alone = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
    return (*alone, "mmdebstrap", *options, SUITE, "root.tar", *([mirror] if mirror else []))


def _make(home: Home, registry: str, image: Image, tell: Callable[[str], None]) -> int:
    """Build and push; the size of the image's parts together."""
    with _context(home, image) as (folder, storage):
        if image.root_filesystem:
            command.run(
                image.root_filesystem,
                limit_seconds=1800,
                folder=folder,
                environ={"TMPDIR": str(storage)},
                still=lambda gone: tell(f"  {image.reference}: {gone:.0f} s so far"),
            )
        target = f"{registry}/{image.reference}"
        build = ["bud", "--tls-verify=false", "--timestamp=0", "--layers=false", "-t", target, "."]
        _buildah(storage, folder, *build)
        _buildah(storage, folder, "push", "--tls-verify=false", "--format=oci", target, f"docker://{target}")
        return sum(file.stat().st_size for file in folder.iterdir())


def _buildah(storage: Path, folder: Path, *words: str) -> None:
    # vfs needs no mounts, so that a kill leaves none; nothing of the machine's own buildah storage is touched
    place: list[str | Path] = ["--root", storage / "root", "--runroot", storage / "run", "--storage-driver", "vfs"]
    environ = {"BUILDAH_ISOLATION": "chroot", "TMPDIR": str(storage)}
    command.run(["buildah", *place, *words], limit_seconds=_BUILD_LIMIT, folder=folder, environ=environ)


@contextmanager
def _context(home: Home, image: Image) -> Iterator[tuple[Path, Path]]:
    home.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.work, ignore_cleanup_errors=True) as name:
        folder, storage = Path(name) / "context", Path(name) / "storage"
        folder.mkdir()
        storage.mkdir()
        (folder / "Containerfile").write_text(image.containerfile)
        for file in image.files:
            shutil.copy2(file, folder / file.name)
        yield folder, storage


def _is_stamped(home: Home, image: Image) -> bool:
    stamp = _stamp(home, image)
    return stamp.exists() and stamp.read_text() == recipe(image)


def _stamp(home: Home, image: Image) -> Path:
    return home.stamps / image.reference.replace("/", "_").replace(":", "_")
