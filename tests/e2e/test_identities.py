"""Who may do what: callers at every route of both servers, and the accounts that the platform's own programs have."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from scheduler import names
from scheduler.cli.configuration import Login
from scheduler.demo.installation import BUILD_NAMESPACE, ENVIRONMENT, NAMESPACE, OPERATOR, RELEASE, Platform
from scheduler.errors import ProgramError
from tests import routes
from tests.charts import accounts
from tests.e2e import callers as callers_
from tests.e2e import everything
from tests.e2e.callers import Callers
from tests.routes import Target

pytestmark = pytest.mark.e2e

SCHEDULING: Final = f"{RELEASE}-scheduling-server"
MODELOPS: Final = f"{RELEASE}-modelops-server"
NOWHERE: Final = Target(environment=ENVIRONMENT)
"""Nothing of it is there, so that no answer depends on what other tests have made."""
OF_HELM_TEST: Final = (f"{RELEASE}-test", NAMESPACE)
"""An account that is there only while `helm test` runs."""
MANY: Final = 5
ORDER: Final = {"environment": ENVIRONMENT, "pipeline": "nothing"}
REVIEWS: Final = {
    "create tokenreviews.authentication.k8s.io",
    "create subjectaccessreviews.authorization.k8s.io",
}


@pytest.fixture(scope="module")
def callers(platform: Platform) -> Iterator[Callers]:
    with callers_.present(platform) as found:
        yield found


def _answers(login: Login, token: str) -> dict[str, int]:
    return {route: answer.status_code for route, answer in everything.asked(login, token, NOWHERE).items()}


def test_health_alone_needs_no_token(login: Login) -> None:
    for url in (login.url, login.server_url):
        with callers_.http(url) as client:
            assert {client.get(path).status_code for path in routes.OPEN} == {200}
            assert {client.get(path).status_code for path in ("/openapi.json", "/", "/docs", "/v1/")} == {401}


def test_without_a_token_every_route_is_closed(login: Login) -> None:
    found = _answers(login, "")
    assert found == dict.fromkeys(found, 401)


@pytest.mark.parametrize("token", ["garbage", "e30.e30.e30", "a.b"])
def test_what_is_no_token_opens_nothing(login: Login, token: str) -> None:
    found = _answers(login, token)
    assert found == dict.fromkeys(found, 401)


def test_a_token_for_the_api_server_opens_nothing(login: Login, callers: Callers) -> None:
    found = _answers(login, callers.token(OPERATOR, audience=""))
    assert found == dict.fromkeys(found, 401)


def test_a_token_for_artifacts_opens_nothing_but_what_was_granted(login: Login, callers: Callers) -> None:
    found = _answers(login, callers.token(names.SCORING_ACCOUNT, ENVIRONMENT, audience=names.ARTIFACTS_AUDIENCE))
    reads = {"GET /v1/artifacts/{sha256}": 404, "HEAD /v1/artifacts/{sha256}": 404}
    assert found == {**dict.fromkeys(found, 401), **reads}


def test_an_account_without_roles_is_told_nothing(login: Login, callers: Callers) -> None:
    hidden = {route: 404 for route in _answers(login, "") if "{job_id}" in route}
    found = _answers(login, callers.stranger)
    assert found == {**dict.fromkeys(found, 403), **hidden}


def test_the_scoring_account_may_ask_for_nothing(login: Login, callers: Callers) -> None:
    found = _answers(login, callers.token(names.SCORING_ACCOUNT, ENVIRONMENT))
    assert set(found.values()) == {403, 404}


def test_a_refusal_says_what_right_is_missing_and_changes_nothing(login: Login, callers: Callers) -> None:
    with callers_.http(login.url, callers.stranger) as client:
        answer = client.post("/v1/jobs", json=ORDER)
    assert answer.headers["content-type"] == "application/problem+json"
    who = f"system:serviceaccount:{NAMESPACE}:{callers_.STRANGER}"
    assert answer.json()["detail"] == f"{who} may not create jobs.{names.DOMAIN} in '{ENVIRONMENT}'"


def test_a_viewer_reads_and_changes_nothing(login: Login, callers: Callers) -> None:
    found = _answers(login, callers.viewer)
    changes = {route for route in found if not route.startswith(("GET", "HEAD"))} - {"POST /v1/plans"}
    # of a job that is not there nobody is told more than that
    hidden = {route for route in found if "{job_id}" in route}
    assert {route: found[route] for route in changes - hidden} == dict.fromkeys(changes - hidden, 403)
    assert {found[route] for route in hidden} == {404}
    lists = ("GET /v1/jobs", "GET /v1/data-channels", "GET /v1/pipelines")
    assert {found[route] for route in lists} == {200}
    assert found["POST /v1/plans"] == 422, "it may plan, but there is no such pipeline"


def test_kubernetes_own_roles_open_what_ours_do(login: Login, callers: Callers) -> None:
    """`view` and `edit` contain the rights of viewers and operators by aggregation, which the API server does."""
    view, edit = (_answers(login, callers.token(account)) for account in (callers_.VIEW, callers_.EDIT))
    assert view == _answers(login, callers.viewer)
    assert edit == _answers(login, login.token)
    assert view["POST /v1/jobs"] == 403
    assert edit["POST /v1/jobs"] == edit["POST /v1/plans"] == 422, "it may start jobs, but there is no such pipeline"


@pytest.mark.parametrize("account", callers_.OF_KUBERNETES)
def test_kubernetes_own_roles_end_where_they_are_bound(login: Login, callers: Callers, account: str) -> None:
    with callers_.http(login.url, callers.token(account)) as client:
        places = (ENVIRONMENT, "default", BUILD_NAMESPACE)
        found = {place: client.get("/v1/jobs", params={"environment": place}).status_code for place in places}
    assert found == {ENVIRONMENT: 200, "default": 403, BUILD_NAMESPACE: 403}


def test_an_operator_of_one_environment_has_no_other(login: Login) -> None:
    with callers_.http(login.url, login.token) as client:
        elsewhere = client.post("/v1/jobs", json={**ORDER, "environment": "default"})
        platform = client.get("/v1/jobs", params={"environment": NAMESPACE})
    assert (elsewhere.status_code, platform.status_code) == (403, 403)


def _namespaces(platform: Platform) -> set[str]:
    return {item["metadata"]["name"] for item in platform.objects("namespaces")}


def _held(callers: Callers, account: str, namespace: str, *, places: set[str]) -> set[str]:
    """`namespace: verb resource` of all that the account may do there."""
    return {f"{place}: {right}" for place in places for right in callers.rights(account, namespace, namespace=place)}


def _rights(verbs: str, *resources: str) -> set[str]:
    return {f"{verb} {resource}" for verb in verbs.split() for resource in resources}


def test_the_scheduling_server_may_do_its_work_and_no_more(callers: Callers) -> None:
    elsewhere = _namespaces(callers.platform) - {NAMESPACE, ENVIRONMENT}
    found = {place: callers.rights(SCHEDULING, NAMESPACE, namespace=place) for place in elsewhere}
    assert found == dict.fromkeys(elsewhere, REVIEWS)
    assert callers.rights(SCHEDULING, NAMESPACE, namespace=ENVIRONMENT) - REVIEWS == {
        *_rights("create get list watch patch delete", "pipelineruns.tekton.dev", "configmaps"),
        *_rights("get list watch", "taskruns.tekton.dev", "pods"),
        *_rights("get list", "resourcequotas"),
        *_rights("get", "pods/log"),
        *_rights("impersonate", "serviceaccounts"),
    }
    assert callers.rights(SCHEDULING, NAMESPACE, namespace=NAMESPACE) - REVIEWS == {
        *_rights("create get patch", "leases.coordination.k8s.io"),
        *_rights("create get list", f"artifacts.{names.DOMAIN}", f"pipelines.{names.DOMAIN}"),
    }


@pytest.mark.parametrize(
    ("account", "namespace", "expected"),
    [
        (names.RUNNER_ACCOUNT, ENVIRONMENT, True),
        (names.SCORING_ACCOUNT, ENVIRONMENT, False),
        ("default", ENVIRONMENT, False),
        (names.RUNNER_ACCOUNT, "default", False),
        (OPERATOR, NAMESPACE, False),
    ],
)
def test_the_scheduling_server_may_act_as_the_runner_and_as_nobody_else(
    platform: Platform, account: str, namespace: str, *, expected: bool
) -> None:
    who = f"--as=system:serviceaccount:{NAMESPACE}:{SCHEDULING}"
    command = ("auth", "can-i", "impersonate", f"serviceaccounts/{account}", "-n", namespace, who)
    try:
        said = platform.kubectl(*command).decode().strip()
    except ProgramError:
        said = "no"
    assert (said == "yes") is expected


def test_the_modelops_server_may_start_jobs_for_its_callers_and_no_more(callers: Callers) -> None:
    places = _namespaces(callers.platform)
    found = {place: callers.rights(MODELOPS, NAMESPACE, namespace=place) - REVIEWS for place in places}
    assert {place: rights for place, rights in found.items() if rights} == {
        ENVIRONMENT: _rights("create get list delete impersonate", f"jobs.{names.DOMAIN}"),
        NAMESPACE: _rights("get", f"pipelines.{names.DOMAIN}"),
    }


def test_every_account_may_do_what_the_file_for_review_says(callers: Callers) -> None:
    kept = {who: may for who, may in accounts.kept().items() if who != OF_HELM_TEST}
    assert len(kept) > MANY
    for (account, namespace), may in kept.items():
        everywhere = may.get(accounts.CLUSTER, set())
        for place in (NAMESPACE, BUILD_NAMESPACE, ENVIRONMENT):
            found = callers.rights(account, namespace, namespace=place)
            assert found == may.get(place, set()) | everywhere, f"{account} in {place}"


def test_the_scoring_account_has_no_right_anywhere(callers: Callers) -> None:
    assert _held(callers, names.SCORING_ACCOUNT, ENVIRONMENT, places=_namespaces(callers.platform)) == set()


def test_the_runner_has_rights_in_its_environment_only(callers: Callers) -> None:
    elsewhere = _namespaces(callers.platform) - {ENVIRONMENT}
    assert _held(callers, names.RUNNER_ACCOUNT, ENVIRONMENT, places=elsewhere) == set()
    own = callers.rights(names.RUNNER_ACCOUNT, ENVIRONMENT, namespace=ENVIRONMENT)
    assert "create deployments.apps" in own
    assert not {right for right in own if "rbac" in right or "tokenreviews" in right or "*" in right}


@pytest.mark.parametrize("server", [SCHEDULING, MODELOPS])
def test_a_server_runs_under_its_own_account_and_has_no_kubeconfig(platform: Platform, server: str) -> None:
    deployment = json.loads(platform.kubectl("-n", NAMESPACE, "get", "deployment", server, "-o", "json"))
    pod: Mapping[str, Any] = deployment["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == server
    assert not {"secret", "hostPath", "configMap"} & {key for volume in pod["volumes"] for key in volume}
    told = platform.kubectl("-n", NAMESPACE, "exec", f"deployment/{server}", "--", "sh", "-c", _LOOK).decode()
    token, kubeconfigs = told.split("\n", 1)
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["sub"] == f"system:serviceaccount:{NAMESPACE}:{server}"
    assert kubeconfigs.split() == []


_LOOK: Final = """\
cat /var/run/secrets/kubernetes.io/serviceaccount/token; echo
echo $KUBECONFIG
find / -xdev \\( -name '*kubeconfig*' -o -path '*/.kube/config' \\) -not -path '/proc/*' -type f 2>/dev/null
grep -rls 'client-key-data' /tmp /etc /root /home 2>/dev/null
true
"""
