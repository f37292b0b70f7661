"""Every name, label key and annotation key, made here and in the charts' `_names.tpl` and nowhere else.

A test compares the two. Limits: Helm release 53, PipelineRun 63, label value 63, objects of a job 52 characters.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Final

DOMAIN: Final = "modelops.dev"

# Labels -----------------------------------------------------------------------------------------------------------
JOB_ID: Final = f"{DOMAIN}/job-id"
"""On the record of a job: PipelineRun, TaskRuns and their pods, ConfigMap. Tekton propagates it."""
RELEASE: Final = f"{DOMAIN}/release"
"""On everything that helm makes for a job (pod templates and, by `--labels`, the release Secret)."""
COMPONENT: Final = f"{DOMAIN}/component"
"""Which part of a job's release: `flow`, or the scoring server's chart name."""
MODEL: Final = f"{DOMAIN}/model"
"""On the scoring service of one model: the model's name; Service and NetworkPolicy select by it."""
PIPELINE: Final = f"{DOMAIN}/pipeline"
"""Name of the ScoringPipeline, on the run (an index for lists) and on what the release holds."""
UNCOMMITTED: Final = f"{DOMAIN}/uncommitted"
"""On a job's ConfigMap until its run exists; swept after ten minutes."""
PLATFORM: Final = f"{DOMAIN}/platform"
"""`<namespace>.<release>` of the platform that an environment belongs to."""
INSTALLATION: Final = f"{DOMAIN}/installation"
"""On an installation's PipelineRun, its TaskRuns and pods: the platform's name."""
ENVIRONMENT: Final = f"{DOMAIN}/environment"
"""On the namespace of an environment: its name (= the namespace's name)."""
DATA_CHANNEL: Final = f"{DOMAIN}/data-channel"
"""On the ConfigMap that registers a data channel in an environment: the channel's name."""
USER_LABEL_PREFIX: Final = f"label.{DOMAIN}/"
"""Labels that the submitter put on a job are kept on the run as `label.modelops.dev/<key>`."""
TEKTON_PIPELINE_TASK: Final = "tekton.dev/pipelineTask"
TEKTON_PIPELINE_RUN: Final = "tekton.dev/pipelineRun"

# Annotations of the run ---------------------------------------------------------------------------------------------
INPUT: Final = f"{DOMAIN}/input"
"""Name of the ConfigMap with IR and Values."""
BODY_DIGEST: Final = f"{DOMAIN}/body-digest"
IR_DIGEST: Final = f"{DOMAIN}/ir-digest"
VALUES_DIGEST: Final = f"{DOMAIN}/values-digest"
JOB: Final = f"{DOMAIN}/job"
"""JSON of `model.job.Submission`: what was asked, by whom; a job's facts that the cluster does not hold elsewhere."""
COMPLETION: Final = f"{DOMAIN}/completion"
"""JSON {outcome, message, by, at}: completion asked for through the API; watched by `wait`."""
DRAIN: Final = f"{DOMAIN}/drain"
"""JSON {by, at}: drain asked for; watched by `wait`."""
CANCELLED_BY: Final = f"{DOMAIN}/cancelled-by"
"""JSON {by, at, mode}."""
JANITOR: Final = f"{DOMAIN}/janitor"
"""JSON {cleanup, leftovers, message}: what the janitor made of the job's release when Tekton had not removed it."""
# Annotation of an installation's run
CONTENT_DIGEST: Final = f"{DOMAIN}/content-digest"
"""Digest of Pipeline, Tasks and values that the run was made from; equal content needs no second run."""
# Annotation of a job's ConfigMap while it is uncommitted
TOUCHED: Final = f"{DOMAIN}/touched"
"""When a submit last took it up, so that a sweep spares it."""
# Annotations of a release's flow: Job and pods
FLOW: Final = f"{DOMAIN}/flow"
"""Name of the ScoringFlow."""
GIT_SERVER: Final = f"{DOMAIN}/git-server"
"""Base URL of the git server that IR is taken from, when there is one."""
# Annotation of the wait pod
PROGRESS: Final = f"{DOMAIN}/progress"
"""JSON of `model.job.Progress`, written by `wait` on its own pod."""

# Fixed objects of an environment ------------------------------------------------------------------------------------
PIPELINE_NAME: Final = "scoring-job-v1"
"""The Tekton Pipeline; a change of `tekton/` makes a new version of this name."""
RUNTIME: Final = "streaming-runtime"
"""The program that runs a flow: a key of `global.images`."""
RUNNER_ACCOUNT: Final = "modelops-runner"
SCORING_ACCOUNT: Final = "modelops-scoring"
TASKS: Final = ("install", "wait", "uninstall")
AUDIENCE: Final = "modelops"
ARTIFACTS_AUDIENCE: Final = "modelops-artifacts"
ON_BEHALF_OF: Final = "Modelops-On-Behalf-Of"
"""Header of a server that acts for somebody: the caller's name, percent-encoded. Needs `impersonate` on jobs."""

_JOB_ID = re.compile(r"j[a-z2-7]{20}")
_NAMESPACE: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
NAMESPACE_FORM: Final = "at most 63 of a-z, 0-9 and '-', the first and last no '-'"
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")


def job_id(*, namespace: str, key: str) -> str:
    """The id that this idempotency key has in this namespace: `j` and 20 characters of lower-case base32 (100 bits).

    >>> job_id(namespace="staging", key="a")
    'jumjfu4uiml3xmwuaaihi'
    """
    digest = hashlib.sha256(f"{namespace}\0{key}".encode()).digest()
    return "j" + base64.b32encode(digest).decode().lower()[:20]


def is_job_id(text: str) -> bool:
    return _JOB_ID.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Whether `text` may name a document or a step: at most 40 of a-z, 0-9 and `-`, first a letter, last no `-`.

    Parameters are no such names but identifiers, because expressions name them.
    """
    return _NAME.fullmatch(text) is not None


def is_namespace(text: str) -> bool:
    """Whether `text` may name a namespace, as an environment does: `NAMESPACE_FORM`, a DNS label of RFC 1123."""
    return _NAMESPACE.fullmatch(text) is not None


def short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def job_input(job: str, body_digest: str) -> str:
    """The ConfigMap of a job: named by run and body, so that another body never meets the same name."""
    return f"{job}-input-{short_hash(body_digest)}"


def flow(release: str) -> str:
    """Job, ConfigMap and NetworkPolicy of a release's scoring flow; chart: `scoring-flow.fullname`."""
    return f"{release}-flow"


def scoring_service(release: str, *, chart: str, model: str) -> str:
    """Deployment and Service of one model; chart: `common.scoringService.fullname`. At most 52 characters.

    >>> scoring_service("j" + "a" * 20, chart="scoring-server-pmml", model="delay")
    'jaaaaaaaaaaaaaaaaaaaa-pmml-6e16db10'
    """
    return f"{release}-{chart.removeprefix('scoring-server-')}-{short_hash(model)}"


def digest_label(digest: str) -> str:
    """A `sha256:…` digest as a label's value, which takes neither its colon nor its length: the first 160 bits."""
    return digest.removeprefix("sha256:")[:40]


def channel_object(name: str) -> str:
    """The ConfigMap that registers a data channel; chart: `common.channel.object`."""
    return f"data-channel-{name}"


def runner_user(environment: str) -> str:
    """The user name that the environment's runner account has at the API server."""
    return f"system:serviceaccount:{environment}:{RUNNER_ACCOUNT}"


def installation_run(release: str, content_digest: str, number: int) -> str:
    """The run that installs this content, the `number`th of the platform's runs. At most 60 characters.

    >>> installation_run("modelops", "sha256:" + "ab" * 32, 3)
    'modelops-abababab-3'
    """
    return f"{release}-{content_digest.removeprefix('sha256:')[:8]}-{number}"


def applications_release(release: str) -> str:
    """The Helm release that the installation makes for the platform's servers."""
    return f"{release}-apps"


def build_namespace(namespace: str) -> str:
    """Where a platform's images are built unless its values say otherwise; chart: `common.buildNamespace`."""
    return f"{namespace}-builds"


def janitor_lease(platform: str) -> str:
    """The Lease of a platform's janitor, in the platform's namespace; `platform` as the label's value.

    >>> janitor_lease("modelops.mine")
    'mine-janitor'
    """
    return f"{platform.rpartition('.')[2]}-janitor"


def record_labels(job: str) -> Mapping[str, str]:
    return {JOB_ID: job, "app.kubernetes.io/part-of": "modelops", "app.kubernetes.io/managed-by": "modelops"}
