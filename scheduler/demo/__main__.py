"""`make demo`: a cluster, the platform, a model, and 336,776 flights scored twice, with every figure checked."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rich import box
from rich.table import Table

from scheduler import devcluster
from scheduler.demo import check, flights, installation, train, volume
from scheduler.demo.installation import ENVIRONMENT, NAMESPACE, OPERATOR, Platform
from scheduler.demo.shell import Shell, console, heading
from scheduler.errors import SchedulerError

FOLDER: Final = Path(".demo").absolute()
HERE: Final = Path(__file__).parent
KINDS: Final = {"pmml": "delay.pmml", "joblib": "delay.joblib"}


def main() -> int:
    """0 when both jobs did exactly what they should; 1 with every complaint otherwise."""
    started = time.monotonic()
    try:
        found = _run()
    except SchedulerError as error:
        console.print(f"\nThe demonstration stopped: {error}", style="red", markup=False, soft_wrap=True)
        return 1
    console.print(f"\nThe whole demonstration took {time.monotonic() - started:.0f} s.")
    for complaint in found:
        console.print(f"WRONG {complaint}", style="red", markup=False, soft_wrap=True)
    console.print(_onward(Platform.from_environ(os.environ)), markup=False, soft_wrap=True)
    return 1 if found else 0


def _onward(place: Platform) -> str:
    """What a reader types to go on with what the demonstration has left."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{place.programs}"
    return (
        "The platform stays, with its pipeline, channels and data. To go on by hand:\n"
        f"  export PATH={programs}{os.pathsep}$PATH KUBECONFIG={place.kubeconfig}\n"
        f"  modelops login --account {OPERATOR} --namespace {NAMESPACE} --environment {ENVIRONMENT}\n"
        "  modelops job list"
    )


def _run() -> list[str]:
    heading("A Kubernetes cluster")
    devcluster.up(lambda line: console.print(line, markup=False, soft_wrap=True))
    place = Platform.from_environ(os.environ)
    heading("The image that builds all others")
    tools = installation.bootstrap(place, FOLDER)
    heading("helm upgrade --install modelops charts/modelops")
    images = installation.install(place, tools)
    shell = Shell(platform=place, config=FOLDER / "config.json")
    shell.show("login", "--account", OPERATOR, "--namespace", NAMESPACE, "--environment", ENVIRONMENT)

    heading("Flights, and a model of their delays")
    source = FOLDER / "flights.csv"
    source.write_text(flights.source_csv(), encoding="utf-8")
    trained = train.write(train.fit(source.read_text(encoding="utf-8")), FOLDER / "models")
    console.print(f"trained {', '.join(path.name for path in trained)} on a tenth of the flights that arrived")
    with volume.mounted(place, claim="flights", size="1Gi", image=images["streaming-runtime"]) as files:
        files.put("flights.csv", source.read_bytes())
        channels = sorted((HERE / "channels").glob("*.yaml"))
        shell.show("channel", "deploy", *(str(path) for path in channels))
        return [complaint for kind in KINDS for complaint in _job(shell, files, kind)]


def _job(shell: Shell, files: volume.Volume, kind: str) -> list[str]:
    """Deploy, run and check one job; its complaints."""
    heading(f"A job with the {kind} model")
    deployed = shell.json("deploy", str(_ir_folder(kind)))
    files.remove("delays.jsonl")
    job = shell.json("job", "start", deployed["pipeline"], "--revision", str(deployed["revision"]))
    shell.show("job", "watch", job["id"], may_fail=True)
    shown = shell.json("job", "show", job["id"])
    sink = FOLDER / f"delays-{kind}.jsonl"
    sink.write_bytes(files.get("delays.jsonl") if "delays.jsonl" in files.names() else b"")
    counted = check.recount(FOLDER / "flights.csv", sink, FOLDER / "models" / "delay.joblib")
    left = check.leftovers(shell.platform, job["id"])
    _show(shown, counted, left)
    return [f"{kind}: {complaint}" for complaint in check.complaints(shown, counted, left)]


def _ir_folder(kind: str) -> Path:
    """The IR of one of the two jobs: the same pipeline with another model."""
    folder = FOLDER / f"ir-{kind}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "models").mkdir(parents=True)
    shutil.copy(HERE / "ir" / "pipeline.yaml", folder)
    shutil.copy(HERE / "ir" / f"model-{kind}.yaml", folder)
    shutil.copy(FOLDER / "models" / KINDS[kind], folder / "models")
    return folder


def _show(job: Mapping[str, Any], counted: Mapping[str, Any], left: list[str]) -> None:
    ledger = Table("records", box=box.SIMPLE_HEAD)
    for column in ("the job says", "its files say"):
        ledger.add_column(column, justify="right")
    for term, count in check.ledger(job).items():
        ledger.add_row(term, f"{count:,}", f"{counted[term]:,}" if term in counted else "")
    console.print(ledger)
    confusion = Table("flights that arrived, counted in the sink's file", box=box.SIMPLE_HEAD)
    confusion.add_column("number", justify="right")
    for name, count in counted.get("confusion", {}).items():
        confusion.add_row(name, f"{count:,}")
    console.print(confusion)
    rate = (job["records"] or {}).get("perSecond") or 0
    console.print(f"{rate:,.0f} records/s")
    console.print(f"largest difference from scikit-learn's probabilities: {counted.get('largestDifference')}")
    console.print(f"left of the release in the cluster: {', '.join(left) or 'nothing'}")


if __name__ == "__main__":
    sys.exit(main())
