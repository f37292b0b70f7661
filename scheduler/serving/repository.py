"""The models of one server and their states: load, unload, index; each file's digest is checked at every load."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from scheduler.errors import NotFoundError
from scheduler.serving import model_file
from scheduler.serving.config import ModelConfig
from scheduler.serving.faults import ModelNotReadyError, ModelRefusedError
from scheduler.serving.runners.port import Load, Runner

log = logging.getLogger(__name__)


class State(StrEnum):
    """Names of the protocol's repository extension."""

    READY = "READY"
    LOADING = "LOADING"
    UNLOADING = "UNLOADING"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One model as it is now."""

    config: ModelConfig
    state: State = State.UNAVAILABLE
    reason: str = ""
    """Why it is unavailable, in words."""
    runner: Runner | None = None


class Repository:
    """Loads and unloads run one at a time, in any thread; reading never waits."""

    def __init__(self, configs: Sequence[ModelConfig], *, loaders: Mapping[str, Load]) -> None:
        self._entries: dict[str, Entry] = {config.name: Entry(config=config) for config in configs}
        self._loaders = loaders
        """Model type -> what makes a runner of a file."""
        self._changing = threading.Lock()

    @property
    def is_ready(self) -> bool:
        """Whether every model is loaded."""
        return all(entry.state is State.READY for entry in self._entries.values())

    def index(self) -> tuple[Entry, ...]:
        return tuple(self._entries.values())

    def entry(self, name: str, version: str | None = None) -> Entry:
        """The model of that name; NotFoundError names those that there are."""
        entry = self._entries.get(name)
        if entry is None:
            raise NotFoundError(f"no model is named {name!r} (there are {', '.join(map(repr, self._entries))})")
        if version not in {None, entry.config.version}:
            raise NotFoundError(f"model {name!r} has no version {version!r} (it has {entry.config.version!r})")
        return entry

    def loaded(self, name: str, version: str | None = None) -> tuple[ModelConfig, Runner]:
        """The model with its runner; ModelNotReadyError when it is not loaded."""
        entry = self.entry(name, version)
        if entry.runner is None:
            why = f": {entry.reason}" if entry.reason else ""
            raise ModelNotReadyError(f"model {name!r} is {entry.state.value}{why}")
        return entry.config, entry.runner

    def load(self, name: str) -> None:
        """Have the model loaded, anew when it was; ModelRefusedError leaves it unavailable with the reason."""
        with self._changing:
            entry = self._drop(self.entry(name), State.LOADING)
            try:
                runner = self._runner(entry.config)
            except ModelRefusedError as error:
                self._entries[name] = replace(entry, state=State.UNAVAILABLE, reason=str(error))
                raise
            self._entries[name] = replace(entry, state=State.READY, runner=runner)
            log.info("model %s is loaded (%s, version %s)", name, entry.config.type, entry.config.version)

    def unload(self, name: str) -> None:
        """Have the model unloaded; one that is not loaded stays so."""
        with self._changing:
            entry = self._drop(self.entry(name), State.UNLOADING)
            self._entries[name] = replace(entry, state=State.UNAVAILABLE, reason="unloaded")

    def _drop(self, entry: Entry, state: State) -> Entry:
        changed = Entry(config=entry.config, state=state)
        self._entries[entry.config.name] = changed
        if entry.runner is not None:
            entry.runner.close()
        return changed

    def _runner(self, config: ModelConfig) -> Runner:
        load = self._loaders.get(config.type)
        if load is None:
            served = ", ".join(sorted(self._loaders))
            raise ModelRefusedError(f"model {config.name!r} is of type {config.type!r}; this server serves {served}")
        model_file.check_digest(config.path, config.sha256)
        return load(config.path, signature=config.signature)
