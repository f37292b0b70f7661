"""`modelops plan`: what would a job be?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from scheduler.cli import examples, exit_codes, given, job_view, offline, orders, output, session
from scheduler.cli.offline import OfflinePlan
from scheduler.cli.output import Format, Output
from scheduler.cli.session import EnvironmentOption
from scheduler.cli.validate import Folder
from scheduler.helm.pyhelm import HelmProgram
from scheduler.lint.bento import BentoLint

_EXAMPLES = examples.of(
    "modelops plan flight-delay/ --channels channels/flights.yaml --channels channels/delays.yaml",
    "modelops plan flight-delay/ --set threshold=0.7 -o yaml",
    "modelops plan flight-delay/ --online --environment staging",
)
Channels = Annotated[
    list[Path] | None,
    typer.Option("--channels", metavar="FILE", help="Data channels that stand for the environment's registry."),
]
Online = Annotated[
    bool, typer.Option("--online", help="Let the scheduling server plan, with the environment's channels and images.")
]


def register(app: typer.Typer) -> None:
    app.command("plan", epilog=_EXAMPLES)(plan)


def plan(
    folder: Folder,
    *,
    environment: EnvironmentOption = "",
    sets: given.Sets = None,
    parameters: given.Parameters = None,
    deadlines: given.Deadlines = None,
    data_versions: given.DataVersions = None,
    channels: Channels = None,
    online: Online = False,
    form: Output = Format.TABLE,
) -> None:
    """Show a job before there is one: Helm values, rendered objects, resource totals. Needs no cluster.

    The table names the objects; -o yaml shows them and the values whole. Without helm the objects are NOT RENDERED,
    without Bento the flow is NOT LINTED; the exit code is then 12.
    """
    if online:
        asked = given.together(
            {
                "place": lambda: session.environment(environment),
                "more": lambda: orders.wishes(
                    sets=sets, parameters=parameters, deadlines=deadlines, data_versions=data_versions
                ),
                "ir": lambda: orders.loaded(folder),
            }
        )
        wanted = orders.of_ir(asked["ir"], environment=asked["place"])
        _show(session.scheduling().plan({**wanted, **asked["more"]}), form)
        return
    said = given.together(
        {
            "parameters": lambda: given.parameters(sets, parameters),
            "deadlines": lambda: given.deadline_seconds(deadlines),
            "data_versions": lambda: given.texts("--data-version", data_versions),
            "environment": lambda: session.named(environment or "default"),
            "registry": lambda: offline.registry(channels or ()),
            "ir": lambda: offline.loaded(folder),
        }
    )
    made = offline.plan(offline.Wish(**said), helm=HelmProgram(), lint=BentoLint())
    _show(_view(made), form)
    if not made.is_complete:
        raise typer.Exit(exit_codes.INCOMPLETE)


def _view(made: OfflinePlan) -> dict[str, object]:
    """The same fields as the server's plan."""
    resolved = made.resolved
    return {
        "pipeline": made.pipeline,
        "revision": None,
        "values": resolved.values,
        "valuesText": resolved.values_text,
        "objects": None if made.objects is None else list(made.objects),
        "totals": None if made.totals is None else made.totals.to_json(),
        "flows": [{"name": flow.name, "engine": flow.engine} for flow in resolved.flows],
        "deadlines": resolved.deadlines.by_phase,
        "digests": {"ir": made.ir_digest, "values": resolved.values_digest, "models": dict(resolved.models)},
        "notes": list(made.notes),
    }


def _show(found: Mapping[str, Any], form: Format) -> None:
    if form is not Format.TABLE:
        output.value(found, form)
        return
    totals, objects = found["totals"] or {}, found["objects"]
    output.pairs(
        [
            ("pipeline", found["pipeline"]),
            ("values", f"{len(found['valuesText'].encode()):,} bytes, {found['digests']['values']}"),
            ("models", found["digests"].get("models")),
            ("flows", [flow["name"] for flow in found["flows"]]),
            ("objects", offline.NOT_RENDERED if objects is None else _kinds(objects)),
            ("pods", totals.get("pods")),
            ("cpu", _pair(totals, "Cpu", "Millicores", lambda count: f"{count / 1000:g}")),
            ("memory", _pair(totals, "Memory", "Bytes", lambda count: f"{count / 2**20:,.0f}Mi")),
            ("deadlines", job_view.deadlines(found["deadlines"])),
        ]
    )
    for text in found["notes"]:
        output.note(f"note: {text}")


def _kinds(objects: Sequence[Mapping[str, Any]]) -> list[str]:
    return [f"{item['kind']}/{item['metadata']['name']}" for item in objects]


def _pair(totals: Mapping[str, int], what: str, unit: str, shown: Any) -> str:
    if not totals:
        return ""
    return f"requests {shown(totals[f'request{what}{unit}'])}, limits {shown(totals[f'limit{what}{unit}'])}"
