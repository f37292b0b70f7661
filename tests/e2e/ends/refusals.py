"""Rows: orders that are refused, before anything of a job is in the cluster."""

from __future__ import annotations

from typing import Final

from tests.e2e.ends.end import End, Section


def _invalid(id_: str, title: str, *words: str) -> End:
    """A fault in what was sent: 422, and every problem with its place."""
    return End(id=id_, title=title, status=422, refusal_exit_code=3, words=words)


ORDERS: Final = Section(
    title="Orders with a fault",
    text="All faults of an order are told together, each with document, JSON pointer and what would have been right.",
    ends=(
        _invalid(
            "unknown-key",
            "A key that the schema does not know",
            "ScoringPipeline/refused /spec/snk: unknown key 'snk'",
        ),
        _invalid(
            "unknown-channel",
            "A data channel that nobody knows",
            "ScoringPipeline/refused /spec/source/channel: no data channel is named 'itms'",
            "items (source, file, schema item)",
        ),
        _invalid(
            "schema-does-not-fit",
            "A channel whose record schema is not what the flow reads",
            "ScoringPipeline/refused /spec/source/channel: ",
            "'id' is missing",
        ),
        _invalid(
            "unknown-parameter",
            "A parameter that the pipeline does not have",
            "job /parameters/treshold: ",
            "has no parameter 'treshold'",
            "'threshold'",
        ),
        _invalid(
            "parameter-of-the-wrong-type",
            "A parameter of the wrong type",
            "job /parameters/threshold: ",
            "must be a number, not 'high'",
        ),
        _invalid(
            "model-type-not-built",
            "A model type without a scoring server",
            "Model/twice /spec/type: model type 'onnx' is not built yet",
        ),
        _invalid(
            "mode-not-built",
            "A mode that is not built",
            "ScoringPipeline/refused /spec/mode: mode 'request-response' is not built yet",
        ),
        _invalid(
            "step-not-built",
            "A step that is not built",
            "ScoringFlow/flow /spec/steps/0/route: step 'route' is not built yet",
        ),
        _invalid(
            "credential-in-the-text",
            "A credential in the pipeline's text",
            "DataChannel/items /spec/config/password: ",
            "is a credential",
        ),
        _invalid(
            "model-without-digest",
            "A model without its digest",
            "Model/twice /spec: ",
            "'sha256' is missing",
        ),
        _invalid(
            "model-not-uploaded",
            "A model that nobody uploaded",
            "Model/twice /spec/sha256: the artifact store has no file with sha256 ",
        ),
        _invalid(
            "mapping-does-not-parse",
            "A mapping that does not parse",
            "ScoringFlow/flow /spec/steps/0/map: ",
            "expected",
        ),
        _invalid(
            "mapping-reads-the-environment",
            "A mapping that reads the environment",
            "ScoringFlow/flow /spec/steps/0/map: ",
            "env",
        ),
        _invalid(
            "mapping-reads-a-file",
            "A mapping that reads a file",
            "ScoringFlow/flow /spec/steps/0/map: ",
            "file",
        ),
        _invalid(
            "interpolation",
            "An interpolation of the stream engine in a mapping",
            "ScoringFlow/flow /spec/steps/0/map: ",
            "'${' is not allowed",
        ),
    ),
)
REQUESTS: Final = Section(
    title="Requests that are refused",
    text="Problem documents of RFC 9457; the command line turns the kind of error into its exit code.",
    ends=(
        End(
            id="too-large",
            title="An order of 6 MB",
            status=413,
            refusal_exit_code=9,
            words=("the body may have at most", "bytes"),
        ),
        _invalid(
            "no-room",
            "A job that the environment's quota could never hold",
            "the environment has no room for this job",
            "the job needs pods 61",
            "allows",
        ),
        _invalid("not-json", "A body that is not JSON", "/", "JSON decode error"),
        End(
            id="not-said-to-be-json",
            title="A body of another media type",
            status=415,
            refusal_exit_code=3,
            words=("the body must be application/json, not text/plain",),
        ),
        End(
            id="unknown-job",
            title="A job that there is not, or that the caller may not see",
            status=404,
            refusal_exit_code=4,
            words=("there is no job '{job}'",),
        ),
        _invalid("unknown-pipeline", "A pipeline that nobody deployed", "/pipeline: no pipeline is named 'nothing'"),
        End(
            id="used-key",
            title="An idempotency key that was used with another body",
            status=409,
            refusal_exit_code=5,
            words=("another body",),
        ),
        End(
            id="artifact-of-another-digest",
            title="A model that is uploaded under another file's digest",
            status=422,
            refusal_exit_code=10,
            words=("the content has the digest",),
        ),
        End(
            id="viewer-starts-a-job",
            title="A caller who may see jobs, but not start them",
            status=403,
            refusal_exit_code=7,
            words=("may not create jobs",),
        ),
        End(
            id="unknown-environment",
            title="An environment that there is not, or that the caller may not use",
            status=403,
            refusal_exit_code=7,
            words=("nowhere",),
        ),
        End(
            id="no-token",
            title="No token, or one for another audience",
            status=401,
            refusal_exit_code=6,
            words=("token",),
        ),
    ),
)
SECTIONS: Final = (ORDERS, REQUESTS)
