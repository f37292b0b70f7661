"""`modelops channel`: the data channels that an environment's jobs find by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from scheduler.cli import channel_files, examples, output, session
from scheduler.cli.output import Format, Output
from scheduler.cli.session import EnvironmentOption

app = typer.Typer(name="channel", help="Data channels: where records come from and go to.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The channel's name.")]
_DEPLOY = examples.of("modelops channel deploy channels/flights.yaml --environment staging")
_LIST = examples.of("modelops channel list --environment staging", "modelops channel list -e staging -o json")
_SHOW = examples.of("modelops channel show flights --environment staging -o yaml")
_REMOVE = examples.of("modelops channel remove flights --environment staging")


@app.command("deploy", epilog=_DEPLOY)
def deploy(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="DataChannel documents with their schemas.")],
    environment: EnvironmentOption = "",
    form: Output = Format.TABLE,
) -> None:
    """Register data channels, or replace those of the same name. Jobs that run keep what they began with."""
    place = session.environment(environment)
    loaded = channel_files.read(files)
    client = session.scheduling()
    made = [
        client.deploy_channel(item.channel.name, channel=item.document, schema=item.schema, environment=place)
        for item in loaded
    ]
    if form is not Format.TABLE:
        output.value([channel for channel, _ in made], form)
        return
    for channel, is_new in made:
        output.write(f"{channel['name']} {'registered' if is_new else 'replaced'} in {place}")


@app.command("list", epilog=_LIST)
def list_(environment: EnvironmentOption = "", form: Output = Format.TABLE) -> None:
    """List the data channels of an environment."""
    found = session.scheduling().channels(session.environment(environment))
    if form is not Format.TABLE:
        output.value(found, form)
        return
    rows = ([item["name"], item["direction"], item["type"], _schema(item), item["problem"]] for item in found)
    output.table(["NAME", "DIRECTION", "TYPE", "SCHEMA", "PROBLEM"], rows)


@app.command("show", epilog=_SHOW)
def show(name: Name, environment: EnvironmentOption = "", form: Output = Format.TABLE) -> None:
    """Show one data channel: where it lies, and the fields of its records."""
    found = session.scheduling().channel(name, session.environment(environment))
    if form is not Format.TABLE:
        output.value(found, form)
        return
    spec = ((found["channel"] or {}).get("spec") or {}).get("config") or {}
    fields = ((found["schema"] or {}).get("spec") or {}).get("properties") or {}
    output.pairs(
        [*((key, found[key]) for key in ("name", "environment", "direction", "type", "dataVersion", "problem"))]
    )
    output.pairs([("config", spec), ("schema", _schema(found))])
    output.table(
        ["FIELD", "TYPE", "NULLABLE"],
        ([key, "/".join(_type(item)), bool(item.get("nullable"))] for key, item in fields.items()),
    )


@app.command("remove", epilog=_REMOVE)
def remove(
    name: Name,
    *,
    environment: EnvironmentOption = "",
    force: Annotated[bool, typer.Option("--force", help="Also when unfinished jobs use it.")] = False,
) -> None:
    """Take a data channel out of the registry. The data itself is not touched."""
    place = session.environment(environment)
    session.scheduling().remove_channel(name, place, force=force)
    output.write(f"{name} removed from {place}")


def _schema(item: Mapping[str, Any]) -> str:
    return str(((item["schema"] or {}).get("metadata") or {}).get("name", ""))


def _type(field: Mapping[str, Any]) -> list[str]:
    return [str(field[key]) for key in ("type", "format") if field.get(key)]
