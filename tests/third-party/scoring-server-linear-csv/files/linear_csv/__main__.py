"""`linear_csv.pyz download | serve`: the two programs of a scoring service's pod."""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from linear_csv import download, model, server
from linear_csv.model import RefusedError
from linear_csv.protocol import Signature

REASONS = {"download": (12, "ModelMissing"), "serve": (13, "ModelCorrupt")}
"""Exit code, and the reason that a job shows."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="linear_csv", description="Scores linear models.")
    parser.add_argument("action", choices=list(REASONS))
    parser.add_argument("--config", type=Path, default=Path("/etc/modelops/serving/models.json"))
    parser.add_argument("--termination-log", type=Path, default=Path("/dev/termination-log"))
    parser.add_argument("--host", default="0.0.0.0")
    parser.add_argument("--port", type=int, default=8080)
    options = parser.parse_args()
    (described,) = json.loads(options.config.read_text())["models"]
    try:
        if options.action == "download":
            store = os.environ.get("MODELOPS_ARTIFACT_STORE_URL", "")
            download.fetch(store, described["sha256"], to=Path(described["path"]))
        else:
            signature = _signature(described)
            loaded = model.parse(Path(described["path"]).read_text(), inputs=signature.inputs)
            server.run(server.build((options.host, options.port), signature=signature, model=loaded))
    except RefusedError as error:
        code, reason = REASONS[options.action]
        print(error, file=sys.stderr)
        with suppress(OSError):
            options.termination_log.write_text(json.dumps({"reason": reason, "message": str(error)[:800]}))
        return code
    return 0


def _signature(described: dict[str, Any]) -> Signature:
    if len(described["outputs"]) != 1:
        raise RefusedError(f"a linear model gives one number; the output schema has {len(described['outputs'])}")
    (output,) = described["outputs"]
    return Signature(
        name=described["name"],
        version=described["sha256"][:12],
        inputs=tuple(item["name"] for item in described["inputs"]),
        output=output["name"],
        nullable=output.get("nullable") is True,
    )


if __name__ == "__main__":
    sys.exit(main())
