"""`modelops cluster check`: what a cluster lacks, or has set so that it costs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.status import Status

from scheduler.cli import examples, exit_codes, output, targets
from scheduler.cli.output import Format, Output
from scheduler.cluster.single_calls import SingleCalls
from scheduler.inspection import judgement, looking, trial
from scheduler.inspection.findings import Finding, Report, State
from scheduler.inspection.looking import Trials, Wanted
from scheduler.tekton import prerequisite

EXAMPLES = examples.of(
    "modelops cluster check",
    "modelops cluster check --registry registry.example.com --pull-registry registry.example.com",
    "modelops cluster check --namespace scoring --environment staging --environment production -o json",
    "modelops cluster check --image registry.example.com/base:trixie",
)


def check(
    *,
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Where the platform is to be.")] = "modelops",
    environments: Annotated[
        list[str] | None, typer.Option("--environment", "-e", help="Where jobs are to run; may be repeated. [staging]")
    ] = None,
    registry: Annotated[str, typer.Option("--registry", help="Where images are pushed: tried from here.")] = "",
    pull_registry: Annotated[
        str, typer.Option("--pull-registry", help="The same as nodes name it: tried by a pod, which is removed.")
    ] = "",
    image: Annotated[
        str, typer.Option("--image", help="With python3 inside: two pods try whether NetworkPolicies hold.")
    ] = "",
    try_in: Annotated[str, typer.Option("--try-in", help="Namespace of those pods.")] = "default",
    tekton_namespace: Annotated[
        str, typer.Option("--tekton-namespace", help="Where Tekton is.")
    ] = prerequisite.NAMESPACE,
    kubeconfig: Annotated[Path | None, typer.Option("--kubeconfig", help="Else KUBECONFIG or your own.")] = None,
    context: Annotated[str, typer.Option("--context", help="Of the kubeconfig.")] = "",
    form: Output = Format.TABLE,
) -> None:
    """Say what the cluster of your kubeconfig lacks, what is set so that it costs, and what to do about it.

    Everything is told at once. Without --pull-registry and --image nothing is made in the cluster; what is tried there
    is tried as a dry run. The exit code is 0 unless something is missing: 7 when it is your rights alone, 8 when it is
    a registry that does not answer, else 13.
    """
    targets.check(registries={"--registry": registry, "--pull-registry": pull_registry})
    api = SingleCalls.from_kubeconfig(kubeconfig, context=context or None)
    wanted = Wanted(
        namespace=namespace, environments=tuple(environments or ["staging"]), tekton_namespace=tekton_namespace
    )
    trials = Trials(
        registry=(lambda: trial.reached(registry)) if registry else None,
        pull_registry=(lambda: trial.pulled(api, pull_registry, namespace=try_in)) if pull_registry else None,
        network=(lambda: trial.holds_network_policies(api, image, namespace=try_in)) if image else None,
    )
    with Status("looking", console=output.console(sys.stderr)):
        report = judgement.judge(looking.look(api, wanted, trials))
    _show(report, form)
    code = exit_codes.of_lacking(report.lacking)
    if code:
        raise typer.Exit(code)


def _show(report: Report, form: Format) -> None:
    if form is not Format.TABLE:
        output.value(report.document(), form)
        return
    output.pairs([("cluster", report.cluster), ("you", report.user)])
    output.table(["STATE", "OF", "WHAT", "FOUND", "COSTS, AND WHAT TO DO"], map(_row, report.findings))
    count = {state: sum(one.state is state for one in report.findings) for state in State}
    output.write(", ".join(f"{number} {state}" for state, number in count.items() if number))


def _row(finding: Finding) -> list[str]:
    told = "; ".join(part for part in (finding.cost, finding.remedy) if part)
    return [finding.state, finding.area, finding.what, finding.found, told]
