"""`modelops deploy`: upload models, make a revision."""

from __future__ import annotations

import typer

from scheduler.artifacts import revision_json
from scheduler.cli import examples, output, session, upload
from scheduler.cli.output import Format, Output
from scheduler.cli.validate import Folder
from scheduler.ir import load

_EXAMPLES = examples.of("modelops deploy flight-delay/", "modelops deploy flight-delay/ -o json")


def register(app: typer.Typer) -> None:
    app.command("deploy", epilog=_EXAMPLES)(deploy)


def deploy(folder: Folder, form: Output = Format.TABLE) -> None:
    """Send the IR of a folder, models included, to the modelops server: the pipeline's next revision.

    Content that equals the latest revision makes none; models that are there are not sent again.
    """
    loaded = load.from_folder(folder, fill_digests=True, model_types=None)
    client = session.modelops()
    sent = upload.models(loaded, client)
    revision, is_new = client.deploy(loaded.pipeline.name, loaded.documents)
    if form is not Format.TABLE:
        output.value({**revision_json.to_json(revision), "created": is_new, "uploaded": list(sent)}, form)
        return
    what = "" if is_new else " (there already: the content is the same)"
    output.write(f"{revision.pipeline} revision {revision.revision}{what}")
    output.pairs([("digest", revision.digest), ("uploaded", sent)])
