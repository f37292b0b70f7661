"""A cluster that answers what charts look up, and nothing else: enough for `helm template --dry-run=server`."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import yaml

from scheduler.model.types import Values
from tests.charts import render

_CORE: Final = "/api/v1"
_EXTENSIONS: Final = "/apis/apiextensions.k8s.io/v1"
_ADMISSION: Final = "/apis/admissionregistration.k8s.io/v1"
_DISCOVERY: Final = "/apis/discovery.k8s.io/v1"
_PRIORITIES: Final = "/apis/scheduling.k8s.io/v1"
_TEKTON: Final = "/apis/tekton.dev/v1"
_GROUPS: Final = {
    _CORE: ("v1", {"namespaces": ("Namespace", False), "serviceaccounts": ("ServiceAccount", True)}),
    _EXTENSIONS: (
        "apiextensions.k8s.io/v1",
        {"customresourcedefinitions": ("CustomResourceDefinition", False)},
    ),
    _ADMISSION: (
        "admissionregistration.k8s.io/v1",
        {"validatingwebhookconfigurations": ("ValidatingWebhookConfiguration", False)},
    ),
    _DISCOVERY: ("discovery.k8s.io/v1", {"endpointslices": ("EndpointSlice", True)}),
    _PRIORITIES: ("scheduling.k8s.io/v1", {"priorityclasses": ("PriorityClass", False)}),
    _TEKTON: ("tekton.dev/v1", {"pipelineruns": ("PipelineRun", True)}),
}
"""Where a group is served -> its version, and plural -> (kind, whether it is namespaced)."""

Labels = Mapping[str, Mapping[str, str]]
"""Name of an object -> its labels; of an account or a run `namespace/name`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    kubeconfig: Path

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("--dry-run=server", "--kubeconfig", str(self.kubeconfig), *render.TEKTON)

    def render(self, values: Values, *arguments: str) -> str:
        place = ["modelops", str(render.PLATFORM), "--namespace", "modelops", "--kube-version", render.KUBERNETES]
        return render.helm("template", *place, *self.arguments, *arguments, "--values", "-", values=values)


@contextmanager
def serving(
    *,
    namespaces: Labels | None = None,
    crds: Labels | None = None,
    accounts: Labels | None = None,
    runs: Labels | None = None,
    priorities: Labels | None = None,
    annotations: Labels | None = None,
    finished: Collection[str] = (),
    going: Collection[str] = (),
    webhook: Sequence[Mapping[str, Any]] | None = None,
    forbidden: bool = False,
) -> Iterator[Cluster]:
    """Such a cluster with these objects; `forbidden`: it shows the caller none but accounts.

    `annotations` go by the names of objects, `finished` are names of runs and `going` of namespaces, `webhook`
    are the endpoints of Tekton's; None: there is none.
    """
    objects = {
        **_objects(_CORE, "namespaces", namespaces or {}),
        **_objects(_EXTENSIONS, "customresourcedefinitions", crds or {}),
        **_objects(_CORE, "serviceaccounts", accounts or {}),
        **_objects(_TEKTON, "pipelineruns", runs or {}),
        **_objects(_PRIORITIES, "priorityclasses", priorities or {}),
    }
    for path, found in objects.items():
        found["metadata"]["annotations"] = dict((annotations or {}).get(path.rpartition("/")[2], {}))
        is_finished = found["metadata"]["name"] in finished
        phase = "Terminating" if found["metadata"]["name"] in going else "Active"
        succeeded = {"type": "Succeeded", "status": "True" if is_finished else "Unknown"}
        found["status"] = {"phase": phase, "conditions": [succeeded]}
    answers = {**_discovery(), **_lists(objects), **objects, **({} if webhook is None else _webhook(webhook))}
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answers, forbidden=forbidden))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with tempfile.TemporaryDirectory(prefix="modelops-cluster-") as folder:
            kubeconfig = Path(folder) / "kubeconfig"
            kubeconfig.write_text(_kubeconfig(f"http://127.0.0.1:{server.server_port}"))
            yield Cluster(kubeconfig=kubeconfig)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _discovery() -> dict[str, Any]:
    return {
        root: {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": version,
            "resources": [
                {"name": plural, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": ["get", "list"]}
                for plural, (kind, namespaced) in resources.items()
            ],
        }
        for root, (version, resources) in _GROUPS.items()
    }


def _objects(root: str, plural: str, labels: Labels) -> dict[str, Any]:
    version, resources = _GROUPS[root]
    kind, _ = resources[plural]
    found = {}
    for place, own in labels.items():
        namespace, _, name = place.rpartition("/")
        metadata = {"name": name, "labels": dict(own), **({"namespace": namespace} if namespace else {})}
        within = f"namespaces/{namespace}/" if namespace else ""
        found[f"{root}/{within}{plural}/{name}"] = {"apiVersion": version, "kind": kind, "metadata": metadata}
    return found


def _webhook(endpoints: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Tekton's admission as its release writes it, and two Services' endpoints beside each other."""
    name, namespace = "validation.webhook.pipeline.tekton.dev", "tekton-pipelines"
    service = {"name": "tekton-pipelines-webhook", "namespace": namespace}
    configuration = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [{"name": name, "clientConfig": {"service": service}}],
    }
    slices = [
        _slice("tekton-pipelines-controller", [{"addresses": ["10.0.0.1"], "conditions": {"ready": True}}]),
        _slice(service["name"], endpoints),
    ]
    listed = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSliceList", "metadata": {}, "items": slices}
    return {
        f"{_ADMISSION}/validatingwebhookconfigurations/{name}": configuration,
        f"{_DISCOVERY}/namespaces/{namespace}/endpointslices": listed,
    }


def _slice(service: str, endpoints: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"{service}-x", "labels": {"kubernetes.io/service-name": service}},
        "addressType": "IPv4",
        "endpoints": [dict(endpoint) for endpoint in endpoints] or None,
    }


def _lists(objects: Mapping[str, Any]) -> dict[str, Any]:
    """The answer for each collection that has something in it, and for all namespaces."""
    found: dict[str, Any] = {f"{_CORE}/namespaces": {"apiVersion": "v1", "kind": "NamespaceList", "items": []}}
    for path, item in objects.items():
        about = {"apiVersion": item["apiVersion"], "kind": f"{item['kind']}List"}
        found.setdefault(path.rpartition("/")[0], {**about, "items": []})["items"].append(item)
    return found


def _handler(answers: Mapping[str, Any], *, forbidden: bool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            code, body = (200, answers[path]) if path in answers else (404, _status(404, "NotFound"))
            if forbidden and path not in _GROUPS and "/serviceaccounts/" not in path:
                code, body = 403, _status(403, "Forbidden")
            content = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _status(code: int, reason: str) -> dict[str, Any]:
    message = f"{reason.lower()} by the test"
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
    }


def _kubeconfig(server: str) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "it", "cluster": {"server": server}}],
            "users": [{"name": "me", "user": {}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "me"}}],
            "current-context": "it",
        }
    )
