"""What to do about a failed build."""

from __future__ import annotations

import pytest

from scheduler.errors import (
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    ProgramError,
    SchedulerError,
    UnavailableError,
)
from scheduler.installation import remedies
from scheduler.model.problem import Problem


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (ForbiddenError("the registry r refuses the login of 'b' for c"), "global.build.pushSecret"),
        (UnavailableError("the registry r does not answer: refused"), "see that the registry"),
        (UnavailableError("the registry r does not answer: [Errno 111] Connection refused"), "see that the registry"),
        (UnavailableError("the registry r answered 507 for a@b: no words"), "its disk is full"),
        (
            UnavailableError('the registry r answered 500 for a@b: {"detail":{"Err":28}}'),
            "there is no room",
        ),
        (UnavailableError("buildah did not end within 30 seconds; it said: x"), "global.build.stepMinutes"),
        (ProgramError("buildah: write /x: no space left on device"), "there is no room"),
        (ProgramError("buildah: pushing: unauthorized: authentication required"), "global.build.pushSecret"),
        (ProgramError("buildah: received unexpected HTTP status: 500 Internal Server Error"), "its disk is full"),
        (ProgramError("pip: Could not connect: connection refused"), "global.build.settingsSecret"),
        (ProgramError("go: x509: certificate signed by unknown authority"), "global.caBundle.configMap"),
        (ProgramError("compile: signal: killed"), "global.build.resources"),
        (InvalidInputError([Problem(message="a: context 'x' is not there")]), "modelops images bootstrap"),
        (InvalidInputError([], summary="the applications do not fit, and nothing was changed"), "raise the quota"),
    ],
)
def test_a_known_fault_comes_with_what_to_do(error: SchedulerError, remedy: str) -> None:
    words, _, told = remedies.told(error).rpartition("\n→ ")
    assert words == str(error)
    assert remedy in told


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("registry.example.com:5000", "of global.registry.push runs"),
        ("mirror.example.com", "of global.build.base runs"),
        ("auth.example.com", "of global.registry.push and global.build.base runs"),
    ],
)
def test_a_registry_that_is_down_is_looked_for_in_the_value_that_names_it(host: str, named: str) -> None:
    error = UnavailableError(f"the registry {host} does not answer: refused")
    told = remedies.told(error, registry="registry.example.com:5000/acme", base="mirror.example.com/debian:13")
    assert named in told


@pytest.mark.parametrize("error", [ProgramError("gcc: 5001 errors"), NotFoundError("no such thing")])
def test_an_unknown_fault_comes_as_it_is(error: SchedulerError) -> None:
    assert remedies.told(error) == str(error)


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("TaskRunImagePullFailed", "global.imagePullSecrets"),
        ("PodAdmissionFailed", "Pod Security `baseline`"),
        ("ExceededResourceQuota", "global.build.quota"),
        ("SomethingNew", ""),
    ],
)
def test_what_tekton_says_comes_with_what_to_do(reason: str, remedy: str) -> None:
    told = remedies.of_tekton(reason)
    assert (remedy in told, bool(told)) == (True, bool(remedy))
