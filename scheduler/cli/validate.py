"""`modelops validate`: is the IR right?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scheduler.cli import examples, exit_codes, output
from scheduler.cli.output import Format, Output
from scheduler.errors import InvalidInputError
from scheduler.ir import load
from scheduler.ir.load import Loaded
from scheduler.jobs import scoring_servers
from scheduler.model import problem_json

Folder = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="Folder with the IR's YAML and JSON files, or one such file.")
]
_EXAMPLES = examples.of("modelops validate flight-delay/", "modelops validate flight-delay/ -o json")


def register(app: typer.Typer) -> None:
    app.command("validate", epilog=_EXAMPLES)(validate)


def validate(folder: Folder, form: Output = Format.TABLE) -> None:
    """Check an IR folder: every fault with its file, line and what would have been right. Needs no cluster.

    Whether maps and filters are Bloblang is for `modelops plan` to say, which asks Bento.
    """
    try:
        loaded = load.from_folder(folder, fill_digests=True, model_types=scoring_servers.model_types())
    except InvalidInputError as error:
        if form is Format.TABLE:
            raise
        output.value({"problems": [problem_json.to_json(problem) for problem in error.problems]}, form)
        raise typer.Exit(exit_codes.of(error)) from None
    if form is Format.TABLE:
        output.write(f"{loaded.pipeline.name}: {len(loaded.documents)} documents, no problems")
    else:
        output.value(_view(loaded), form)


def _view(loaded: Loaded) -> dict[str, object]:
    return {
        "pipeline": loaded.pipeline.name,
        "digest": loaded.digest,
        "documents": [f"{document['kind']}/{document['metadata']['name']}" for document in loaded.documents],
        "problems": [],
    }
