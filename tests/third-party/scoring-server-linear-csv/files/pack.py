"""The custom build step: the sources beside this file, packed into `/linear_csv.pyz` of an image from scratch.

It does what every build step does: the tag follows from the content, an image that is in the registry is not built
again, and two results tell the reference by digest and what became of it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
import zipapp
from pathlib import Path

HERE = Path(__file__).resolve().parent
SECONDS = 300


class BuildFailedError(Exception):
    """A program failed; the message is its last words."""


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("--step", "--registry", "--reference", "--outcome", "--tls-verify"):
        parser.add_argument(name, required=True)
    options = parser.parse_args()
    began = time.monotonic()
    tag = content()
    outcome = {"state": "failed", "seconds": 0, "tag": tag, "message": ""}
    try:
        name = json.loads(options.step)["name"]
        repository = f"{options.registry}/modelops/{name}"
        digest = present(f"{repository}:{tag}", options.tls_verify)
        outcome["state"] = "skipped" if digest else "built"
        digest = digest or built(f"{repository}:{tag}", options.tls_verify)
        Path(options.reference).write_text(f"{repository}@{digest}")
    except BuildFailedError as error:
        outcome |= {"state": "failed", "message": str(error)[-600:]}
    outcome["seconds"] = round(time.monotonic() - began)
    Path(options.outcome).write_text(json.dumps(outcome))
    print(f"linear-csv-app: {outcome['state']} {outcome['message']}")
    return 1 if outcome["state"] == "failed" else 0


def sources() -> list[Path]:
    return sorted(path for path in HERE.glob("*.py") if path.name != Path(__file__).name)


def content() -> str:
    """The tag: it changes with the sources, and with this program."""
    digest = hashlib.sha256()
    for path in (*sources(), Path(__file__)):
        digest.update(f"{path.name}\n{path.stat().st_size}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def present(reference: str, tls: str) -> str:
    """The image's digest; empty when the registry does not have it."""
    try:
        run("pull", "--quiet", f"--tls-verify={tls}", f"docker://{reference}")
    except BuildFailedError:
        return ""
    return run("inspect", "--type=image", "--format={{.FromImageDigest}}", reference)


def built(reference: str, tls: str) -> str:
    """Build and push; the digest that the registry knows the image by."""
    with tempfile.TemporaryDirectory() as scratch:
        package, context = Path(scratch) / "package" / "linear_csv", Path(scratch) / "context"
        package.mkdir(parents=True)
        context.mkdir()
        for path in sources():
            shutil.copyfile(path, package / path.name)
        entry = package.parent / "__main__.py"
        entry.write_text("import sys\n\nfrom linear_csv.__main__ import main\n\nsys.exit(main())\n")
        zipapp.create_archive(package.parent, context / "linear_csv.pyz")
        (context / "Containerfile").write_text("FROM scratch\nCOPY linear_csv.pyz /linear_csv.pyz\n")
        digest = Path(scratch) / "digest"
        run("bud", "--isolation=chroot", "--format=oci", "--timestamp=1", f"--tag={reference}", str(context))
        run("push", f"--tls-verify={tls}", "--format=oci", f"--digestfile={digest}", reference, f"docker://{reference}")
        return digest.read_text().strip()


def run(*words: str) -> str:
    ended = subprocess.run(["buildah", *words], capture_output=True, text=True, timeout=SECONDS, check=False)
    if ended.returncode:
        raise BuildFailedError(f"buildah {words[0]}: {ended.stderr.strip()}")
    return ended.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
