"""Which environments a caller may do what in. What a caller may not see answers like what is not there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from scheduler import names
from scheduler.cluster.port import Caller
from scheduler.errors import ForbiddenError, NotFoundError
from scheduler.web.auth import Gate


@dataclass(frozen=True, slots=True, kw_only=True)
class Environments:
    """The rights of callers in the environments of one platform; blocks, so it is asked from worker threads."""

    gate: Gate
    environments: tuple[str, ...]
    platform_namespace: str

    def require(self, caller: Caller, *, verb: str, resource: str, environment: str, subresource: str = "") -> None:
        """Nothing when the caller may; an environment that is none of ours is refused in the same words."""
        self.gate.require(caller, verb=verb, resource=resource, subresource=subresource, namespace=environment)
        if environment not in self.environments:
            what = "/".join(part for part in (f"{resource}.{names.DOMAIN}", subresource) if part)
            raise ForbiddenError(f"{caller.name} may not {verb} {what} in '{environment}'")

    def allowed(
        self, caller: Caller, *, verb: str, resource: str, among: Sequence[str] = (), subresource: str = ""
    ) -> tuple[str, ...]:
        """The environments in which the caller may do that; exactly those of `among`, when any is named.

        ForbiddenError when a named one is not allowed, and without names when there is none at all.
        """
        named = tuple(dict.fromkeys(environment for environment in among if environment))
        if named:
            for environment in named:
                self.require(caller, verb=verb, resource=resource, environment=environment, subresource=subresource)
            return named
        found = tuple(
            name
            for name in self.environments
            if self.gate.allows(caller, verb=verb, resource=resource, subresource=subresource, namespace=name)
        )
        if not found:
            raise ForbiddenError(f"{caller.name} may not {verb} {resource}.{names.DOMAIN} in any environment")
        return found

    def require_pipelines(self, caller: Caller) -> None:
        """Nothing when the caller may read deployed pipelines, which belong to the platform and to no environment.

        The server's own right reads them: without this it would show them to whoever may start any job.
        """
        self.gate.require(caller, verb="get", resource="pipelines", namespace=self.platform_namespace)


@contextmanager
def hidden(error: NotFoundError) -> Iterator[None]:
    """Inside, a caller without any right is told what a caller is told for whom nothing is there."""
    try:
        yield
    except ForbiddenError:
        raise error from None
