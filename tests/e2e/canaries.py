"""Secrets that are known by heart, and everything in which one of them could have been left behind."""

from __future__ import annotations

import base64
import gzip
import json
import secrets
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import httpx

from scheduler.demo.installation import Platform
from scheduler.devcluster import addresses
from scheduler.devcluster.home import Home
from scheduler.errors import ProgramError

Places = dict[str, set[str]]
"""Canary -> where it was seen."""
_PAGE: Final = 500
_LIMIT_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """A value that stands nowhere by chance."""

    name: str
    value: str

    @property
    def forms(self) -> frozenset[str]:
        """As it is, as hexadecimal digits, and what is left of it within any base64."""
        return frozenset({self.value, self.value.encode().hex(), *_within_base64(self.value.encode())})


def made(name: str) -> Canary:
    return Canary(name=name, value=secrets.token_hex(20))


def seen(canaries: Iterable[Canary], texts: Iterable[tuple[str, str]]) -> Places:
    """Every canary, with the places in whose text it is in any of its forms."""
    wanted = {canary.name: canary.forms for canary in canaries}
    found: Places = {name: set() for name in wanted}
    for place, text in texts:
        for name, forms in wanted.items():
            if any(form in text for form in forms):
                found[name].add(place)
    return found


def objects(platform: Platform) -> Iterator[tuple[str, str]]:
    """Every object of every kind that can be listed, in all namespaces, whole; helm's records unpacked too."""
    kinds = platform.kubectl("api-resources", "--verbs=list", "-o", "name").decode().split()
    for item in platform.objects(",".join(kinds), "--all-namespaces"):
        metadata = item["metadata"]
        place = "/".join(word for word in (item["kind"], metadata.get("namespace"), metadata["name"]) if word)
        yield place, json.dumps(item)
        if item.get("type") == "helm.sh/release.v1":
            yield f"helm release of {place}", helm_record(item)


def helm_record(secret: Mapping[str, Any]) -> str:
    """Chart, values and manifests of a release, as JSON: Kubernetes' base64 around helm's around gzip."""
    packed = base64.b64decode(base64.b64decode(secret["data"]["release"]))
    return gzip.decompress(packed).decode()


def logs(platform: Platform, *namespaces: str) -> Iterator[tuple[str, str]]:
    """What every container that is there has written, those that have ended too."""
    for namespace in namespaces:
        for pod in platform.objects("pods", "-n", namespace):
            name, spec = pod["metadata"]["name"], pod["spec"]
            for container in (*spec.get("initContainers", ()), *spec["containers"]):
                with suppress(ProgramError):  # it has not begun, or is gone by now
                    text = platform.kubectl("-n", namespace, "logs", name, "-c", container["name"])
                    yield f"log of {namespace}/{name}/{container['name']}", text.decode(errors="replace")


def etcd(home: Home) -> Iterator[tuple[str, str]]:
    """Every key of the local cluster's etcd with its value, over the JSON of its gRPC gateway."""
    context = ssl.create_default_context(cafile=str(home.pki / "ca.crt"))
    context.load_cert_chain(home.pki / "etcd.crt", home.pki / "etcd.key")
    url = f"https://{addresses.LOOPBACK}:{addresses.ETCD}"
    with httpx.Client(base_url=url, verify=context, timeout=_LIMIT_SECONDS, trust_env=False) as client:
        yield from etcd_pages(client)


def etcd_pages(client: httpx.Client) -> Iterator[tuple[str, str]]:
    """https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/: keys and values travel as base64, a zero is "no end"."""
    start = b"\0"
    while True:
        asked = {"key": _b64(start), "range_end": _b64(b"\0"), "limit": _PAGE}
        answer = client.post("/v3/kv/range", json=asked).raise_for_status().json()
        for pair in answer.get("kvs", ()):
            key = base64.b64decode(pair["key"])
            # every byte is a letter of latin-1: nothing of a binary value is lost
            yield key.decode(errors="replace"), base64.b64decode(pair.get("value", "")).decode("latin-1")
            start = key + b"\0"
        if not answer.get("more"):
            return


def _within_base64(value: bytes) -> Iterator[str]:
    """The letters that depend on the value alone, for each of the three places where it may begin."""
    for before in range(3):
        whole = base64.b64encode(bytes(before) + value).decode()
        first = -(-before * 8 // 6)
        last = (before + len(value)) * 8 // 6
        yield whole[first:last]


def _b64(text: bytes) -> str:
    return base64.b64encode(text).decode()
