"""Tokens of a real OpenID Connect issuer at both servers: the API server's own, which signs those of ServiceAccounts.

They are for an audience that Kubernetes knows nothing of, so that TokenReview would not accept them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest

from scheduler.cli.configuration import Login
from scheduler.client.scheduling import SchedulingClient
from scheduler.demo.installation import ENVIRONMENT, NAMESPACE, RELEASE
from tests.e2e import callers, everything
from tests.e2e.callers import Callers
from tests.e2e.deployed import Deployed
from tests.routes import Target

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

AUDIENCE: Final = "e2e-scoring"
PERSON: Final = "e2e-person"
OTHER: Final = "e2e-other-person"
ACCOUNT: Final = f"system:serviceaccount:{NAMESPACE}:"
PREFIX: Final = "oidc:"
DISCOVERY: Final = "e2e-issuer-discovery"
NOWHERE: Final = Target(environment=ENVIRONMENT)
RBAC: Final = "rbac.authorization.k8s.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """Tokens of the issuer, of audience `e2e-scoring` unless their name says otherwise."""

    person: str
    """Of somebody whose name of this issuer is an operator's."""
    other: str
    """Of somebody without a right."""
    for_others: str
    kubernetes: str
    """The person's ServiceAccount as Kubernetes knows it (audience `modelops`): it has no right."""


@pytest.fixture(scope="module")
def issued(deployed: Deployed) -> Iterator[Issued]:
    platform = deployed.platform
    issuer = json.loads(platform.kubectl("get", "--raw", "/.well-known/openid-configuration"))["issuer"]
    authority = json.loads(platform.kubectl("get", "configmap", "kube-root-ca.crt", "-n", NAMESPACE, "-o", "json"))
    made = list(_manifests())
    platform.apply(*made)
    try:
        with deployed.changed(
            f"global.oidc.issuer={issuer}",
            f"global.oidc.audience={AUDIENCE}",
            f"global.oidc.caBundle={authority['data']['ca.crt']}",
        ):
            tokens = Callers(platform=platform, stranger="", viewer="")
            yield Issued(
                person=tokens.token(PERSON, audience=AUDIENCE),
                other=tokens.token(OTHER, audience=AUDIENCE),
                for_others=tokens.token(PERSON, audience="e2e-somebody-else"),
                kubernetes=tokens.token(PERSON),
            )
    finally:
        for manifest in made:
            where = ("-n", manifest["metadata"]["namespace"]) if "namespace" in manifest["metadata"] else ()
            platform.kubectl("delete", manifest["kind"], manifest["metadata"]["name"], *where, "--ignore-not-found")


def _manifests() -> Iterator[Mapping[str, Any]]:
    for name in (PERSON, OTHER):
        yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": NAMESPACE}}
    # an issuer's keys are public; by default this one tells them to ServiceAccounts only
    yield {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": DISCOVERY},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "system:service-account-issuer-discovery"},
        "subjects": [{"apiGroup": RBAC, "kind": "Group", "name": "system:unauthenticated"}],
    }
    for namespace in (NAMESPACE, ENVIRONMENT):
        yield {
            "apiVersion": f"{RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": PERSON, "namespace": namespace},
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": callers.role("operator")},
            "subjects": [{"apiGroup": RBAC, "kind": "User", "name": f"{PREFIX}{ACCOUNT}{PERSON}"}],
        }


def _codes(login: Login, token: str) -> dict[str, int]:
    return {route: answer.status_code for route, answer in everything.asked(login, token, NOWHERE).items()}


def test_the_issuers_user_has_the_rights_of_that_name(login: Login, issued: Issued) -> None:
    found = _codes(login, issued.person)
    lists = ("GET /v1/jobs", "GET /v1/data-channels", "GET /v1/pipelines")
    assert {route: found[route] for route in lists} == dict.fromkeys(lists, 200)
    assert 401 not in found.values()


def test_a_user_without_rights_is_refused_by_the_name_of_the_issuer(login: Login, issued: Issued) -> None:
    assert set(_codes(login, issued.other).values()) == {403, 404}
    for url in (login.url, login.server_url):
        with callers.http(url, issued.other) as client:
            path = "/v1/jobs" if url == login.url else "/v1/pipelines"
            detail = client.get(path).json()["detail"]
        assert detail.startswith(f"{PREFIX}{ACCOUNT}{OTHER} may not list")


def test_the_same_account_as_kubernetes_knows_it_is_somebody_else(login: Login, issued: Issued) -> None:
    """The prefix keeps them apart: a right of the one is no right of the other."""
    assert set(_codes(login, issued.kubernetes).values()) == {403, 404}


def test_tokens_of_kubernetes_are_accepted_as_before(login: Login) -> None:
    with closing(SchedulingClient(login.url, token=lambda: login.token)) as client:
        client.jobs({}, limit=1)


def test_a_token_for_somebody_else_opens_nothing(login: Login, issued: Issued) -> None:
    found = _codes(login, issued.for_others)
    assert found == dict.fromkeys(found, 401)


def _forged(token: str) -> Iterator[tuple[str, str]]:
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))

    def encoded(part: Mapping[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")

    known = json.loads(base64.urlsafe_b64decode(header + "=="))
    yield "no signature", f"{header}.{payload}."
    yield "another signature", f"{header}.{payload}.{signature[:16][::-1]}{signature[16:]}"
    yield "another user", f"{header}.{encoded({**claims, 'sub': 'admin'})}.{signature}"
    yield "a longer life", f"{header}.{encoded({**claims, 'exp': claims['exp'] + 86400})}.{signature}"
    yield "no algorithm", f"{encoded({**known, 'alg': 'none'})}.{payload}."
    yield "another algorithm", f"{encoded({**known, 'alg': 'HS256'})}.{payload}.{signature}"
    yield "another key", f"{encoded({**known, 'kid': 'made-up'})}.{payload}.{signature}"


def test_a_token_that_was_changed_opens_nothing_and_is_told_no_reason(login: Login, issued: Issued) -> None:
    answers: dict[str, set[tuple[int, str, str]]] = {}
    for what, token in _forged(issued.person):
        for url in (login.url, login.server_url):
            with callers.http(url, token) as client:
                answers.setdefault(what, set()).add(_seen(client.get("/openapi.json")))
    told = {(401, 'Bearer error="invalid_token"', "the token is not accepted: log in again")}
    assert answers == dict.fromkeys(answers, told)


def _seen(answer: httpx.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.headers["WWW-Authenticate"], answer.json()["detail"]


def test_a_change_is_on_record_under_the_issuers_name_and_without_the_token(
    deployed: Deployed, login: Login, issued: Issued
) -> None:
    with callers.http(login.url, issued.person) as client:
        request_id = client.delete("/v1/data-channels/nothing", params={"environment": ENVIRONMENT}).headers[
            "X-Request-Id"
        ]
    written = deployed.platform.kubectl("-n", NAMESPACE, "logs", f"deployment/{RELEASE}-scheduling-server").decode()
    lines = [json.loads(line)["audit"] for line in written.splitlines() if request_id in line and '"audit"' in line]
    assert [(line["phase"], line["decision"], line["caller"]) for line in lines] == [
        ("begin", "allowed", f"{PREFIX}{ACCOUNT}{PERSON}"),
        ("refused", "allowed", f"{PREFIX}{ACCOUNT}{PERSON}"),
    ]
    assert lines[1]["status"] == 404
    assert not [part for part in issued.person.split(".") if part in written]
