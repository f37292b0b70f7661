"""Settings of the modelops server, read from the environment once, in its entry point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from scheduler.artifacts.storage import Storage
from scheduler.settings import OidcSettings

_GIBIBYTE: Final = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    data: Path = Path("/var/lib/modelops")
    """Folder of artifacts and revisions, a volume that outlives the pod; unless `storage` names another place."""
    storage: Storage = field(default_factory=Storage)
    platform_namespace: str = "modelops"
    """Where rights on `artifacts` and `pipelines` are asked for."""
    environments: tuple[str, ...] = ()
    """Namespaces that artifacts may be granted to."""
    scheduling_url: str = ""
    """The scheduling server, which starts, shows and cancels jobs."""
    scheduling_seconds: float = 30.0
    """How long it may take to answer."""
    token_cache_seconds: float = 10.0
    oidc: OidcSettings = field(default_factory=OidcSettings)
    artifact_most_bytes: int = 16 * _GIBIBYTE
    log_level: str = "info"

    @staticmethod
    def from_environ(environ: Mapping[str, str]) -> Configuration:
        """From `MODELOPS_*` variables; an absent variable leaves the default."""
        default = Configuration()
        environments = environ.get("MODELOPS_ENVIRONMENTS", "").split(",")
        return Configuration(
            data=Path(environ.get("MODELOPS_DATA") or default.data),
            storage=Storage(
                url=environ.get("MODELOPS_STORAGE_URL", ""),
                endpoint=environ.get("MODELOPS_STORAGE_ENDPOINT", ""),
                region=environ.get("MODELOPS_STORAGE_REGION", ""),
            ),
            platform_namespace=environ.get("MODELOPS_NAMESPACE", default.platform_namespace),
            environments=tuple(name.strip() for name in environments if name.strip()),
            scheduling_url=environ.get("MODELOPS_SCHEDULING_URL", default.scheduling_url),
            scheduling_seconds=float(environ.get("MODELOPS_SCHEDULING_SECONDS", default.scheduling_seconds)),
            token_cache_seconds=float(environ.get("MODELOPS_TOKEN_CACHE_SECONDS", default.token_cache_seconds)),
            oidc=OidcSettings.from_environ(environ),
            artifact_most_bytes=int(environ.get("MODELOPS_ARTIFACT_MOST_BYTES", default.artifact_most_bytes)),
            log_level=environ.get("MODELOPS_LOG_LEVEL", default.log_level),
        )
