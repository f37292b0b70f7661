"""Settings of the programs that run in the cluster, read from the environment once, in their entry points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Globals:
    """Set by the platform for every job; each field changes a named field of a rendered object or configuration."""

    registry_pull: str = ""
    """Registry as the node's container runtime names it; prefix of every image reference without digest."""
    image_pull_secrets: tuple[str, ...] = ()
    log_level: str = "info"
    """debug | info | warning | error: environment MODELOPS_LOG_LEVEL of every container, Bento's `logger.level`."""
    trace_endpoint: str = ""
    """OTLP/HTTP collector URL for traces of scoring flows; empty: none. Bento's `tracer`."""
    trace_sample_ratio: float = 0.0
    artifact_store_url: str = ""
    """URL of the modelops server as seen from pods of an environment; models are fetched from it by digest."""
    git_server_url: str = ""
    """Base URL of the git server that `git: {path, ref}` is resolved on; annotation on the flow's pods."""
    ca_bundle: str = ""
    """`<ConfigMap>/<key>` of the certificates that pods trust, in every environment; empty: those of the images."""
    proxy_http: str = ""
    proxy_https: str = ""
    """Proxies for what lies outside the cluster; empty: none."""
    proxy_except: str = ""
    """What else is reached without a proxy, separated by commas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JanitorSettings:
    """How the server removes what Tekton could not."""

    is_enabled: bool = False
    is_dry_run: bool = False
    """It only tells what it would remove."""
    period_seconds: float = 5.0
    """Between two looks at what the watches have told."""
    holder: str = ""
    """This replica's name in the Lease."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """The OpenID Connect issuer whose tokens are accepted beside Kubernetes'; without an issuer there is none."""

    issuer: str = ""
    """Its URL, as tokens name it in `iss`."""
    audience: str = ""
    """What tokens must name in `aud`."""
    algorithms: tuple[str, ...] = ("RS256",)
    username_claim: str = "sub"
    username_prefix: str = "oidc:"
    """Before every name, so that none is mistaken for one of Kubernetes' own."""
    groups_claim: str = "groups"
    groups_prefix: str = "oidc:"
    ca_bundle: str = ""
    """PEM certificates of the issuer's authority; empty: the system's."""

    @staticmethod
    def from_environ(environ: Mapping[str, str]) -> OidcSettings:
        """From `MODELOPS_OIDC_*` variables; an absent variable leaves the default."""
        default = OidcSettings()

        def of(name: str, otherwise: str) -> str:
            return environ.get(f"MODELOPS_OIDC_{name}", otherwise)

        return OidcSettings(
            issuer=of("ISSUER", default.issuer),
            audience=of("AUDIENCE", default.audience),
            algorithms=_names(of("ALGORITHMS", ",".join(default.algorithms))),
            username_claim=of("USERNAME_CLAIM", default.username_claim),
            username_prefix=of("USERNAME_PREFIX", default.username_prefix),
            groups_claim=of("GROUPS_CLAIM", default.groups_claim),
            groups_prefix=of("GROUPS_PREFIX", default.groups_prefix),
            ca_bundle=of("CA_BUNDLE", default.ca_bundle),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The scheduling server's settings."""

    environments: tuple[str, ...] = ()
    """Namespaces where jobs may run."""
    platform_namespace: str = "modelops"
    platform: str = ""
    """`<namespace>.<release>`, label value on everything of this platform."""
    task_image: str = ""
    """Image, by digest, of the install, wait and uninstall steps."""
    task_priority_class: str = ""
    images: Mapping[str, str] = field(default_factory=dict)
    """Program -> image reference by digest (streaming-runtime, scoring-server-python, …)."""
    globals_: Globals = field(default_factory=Globals)
    modelops_server_url: str = ""
    token_cache_seconds: float = 10.0
    oidc: OidcSettings = field(default_factory=OidcSettings)
    janitor: JanitorSettings = field(default_factory=JanitorSettings)

    @staticmethod
    def from_environ(environ: Mapping[str, str]) -> Settings:
        """Settings from `MODELOPS_*` variables; an absent variable leaves the default."""
        images = dict(pair.split("=", 1) for pair in environ.get("MODELOPS_IMAGES", "").split(",") if "=" in pair)
        return Settings(
            environments=_names(environ.get("MODELOPS_ENVIRONMENTS", "")),
            platform_namespace=environ.get("MODELOPS_NAMESPACE", "modelops"),
            platform=environ.get("MODELOPS_PLATFORM", ""),
            task_image=environ.get("MODELOPS_TASK_IMAGE", ""),
            task_priority_class=environ.get("MODELOPS_TASK_PRIORITY_CLASS", ""),
            images=images,
            globals_=Globals(
                registry_pull=environ.get("MODELOPS_REGISTRY_PULL", ""),
                image_pull_secrets=_names(environ.get("MODELOPS_IMAGE_PULL_SECRETS", "")),
                log_level=environ.get("MODELOPS_LOG_LEVEL", "info"),
                trace_endpoint=environ.get("MODELOPS_TRACE_ENDPOINT", ""),
                trace_sample_ratio=float(environ.get("MODELOPS_TRACE_SAMPLE_RATIO", "0")),
                artifact_store_url=environ.get("MODELOPS_ARTIFACT_STORE_URL", ""),
                git_server_url=environ.get("MODELOPS_GIT_SERVER_URL", ""),
                ca_bundle=environ.get("MODELOPS_CA_BUNDLE", ""),
                proxy_http=environ.get("MODELOPS_PROXY_HTTP", ""),
                proxy_https=environ.get("MODELOPS_PROXY_HTTPS", ""),
                proxy_except=environ.get("MODELOPS_PROXY_EXCEPT", ""),
            ),
            modelops_server_url=environ.get("MODELOPS_SERVER_URL", ""),
            token_cache_seconds=float(environ.get("MODELOPS_TOKEN_CACHE_SECONDS", "10")),
            oidc=OidcSettings.from_environ(environ),
            janitor=JanitorSettings(
                is_enabled=environ.get("MODELOPS_JANITOR_ENABLED", "false") == "true",
                is_dry_run=environ.get("MODELOPS_JANITOR_DRY_RUN", "false") == "true",
                period_seconds=float(environ.get("MODELOPS_JANITOR_PERIOD_SECONDS", "5")),
                holder=environ.get("HOSTNAME", ""),
            ),
        )


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
