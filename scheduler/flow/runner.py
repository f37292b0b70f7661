"""One flow from its source to its sink: gate, load and activate, follow, account, commit."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import yaml

from scheduler.flow import accounting, gate, parts, source_count
from scheduler.flow.completion import Completion
from scheduler.flow.config import RunnerConfig
from scheduler.flow.control import Board, Wish
from scheduler.flow.engine import Engine, Place, Report
from scheduler.flow.failure import FlowFailedError
from scheduler.flow.parts import Parts
from scheduler.model import job_json
from scheduler.model.job import Ledger, Reason

FIRST_POLL: Final = 0.01
LONGEST_POLL: Final = 0.25

_log = logging.getLogger(__name__)


def run(config: RunnerConfig, engine_text: str, *, board: Board, attempt: str, place: Place) -> Completion:
    """Run the flow; never raises. A result is published exactly when the completion is a success."""
    began = time.monotonic()
    attempt_ = _Attempt(config, engine_text, board=board, name=attempt)
    asked = False
    try:
        ledger = attempt_.run(place)
        reason, message = Reason.COMPLETED, ""
    except FlowFailedError as error:
        reason, message, ledger = error.reason, str(error), board.progress().ledger
        asked = board.wish in {Wish.DRAIN, Wish.COMPLETE}
    except Exception as error:  # noqa: BLE001 (the last line of defence: it is reported, and nothing is published)
        _log.exception("the flow runner crashed")
        reason, message, ledger = Reason.FLOW_CRASHED, f"{type(error).__name__}: {error}", board.progress().ledger
    board.set_phase("finished")
    return Completion(
        reason=reason,
        message=message,
        ledger=ledger,
        total=board.progress().total,
        seconds=time.monotonic() - began,
        is_asked=asked,
    )


class _Attempt:
    def __init__(self, config: RunnerConfig, engine_text: str, *, board: Board, name: str) -> None:
        self._config = config
        self._engine_text = engine_text
        self._board = board
        self._name = name

    def run(self, place: Place) -> Ledger:
        """The ledger of the published result; FlowFailedError for every other end, with nothing published."""
        config = self._config
        with Engine(place) as engine:  # it starts while the source is counted
            _open(config)
            made = parts.prepare(
                sink=config.sink.path,
                dead_letters=config.dead_letters.path if config.dead_letters else None,
                release=config.release,
                attempt=self._name,
            )
            try:
                total = source_count.count(config.source, required=config.required)
                self._board.set_phase("starting", total=total)
                _log.info("%d records in %s", total, config.source.path)
                gate.wait(config.services, seconds=config.ready_seconds, pause=self._pause, say=self._board.say)
                engine.load(_configuration(self._engine_text, made), pause=self._pause)
                self._board.set_phase("running")
                report = self._follow(engine, total)
                ledger = self._account(report, made, total)
                parts.commit(made, self._manifest(ledger), digests=report.digests)
            finally:
                engine.stop()
                parts.discard(made)
        return ledger

    def _follow(self, engine: Engine, total: int) -> Report:
        """The engine's last report on a stream that came to its own end and closed its files."""
        deadline = time.monotonic() + self._config.run_seconds
        interval = FIRST_POLL
        while True:
            report = engine.report()
            self._board.count(report.ledger)
            self._board.say(report.waiting)
            if report.failure is not None:
                raise report.failure
            if not report.is_active:
                break
            self._check_dead_letters(report.ledger.dead_lettered, total=total, first=report.first_dead_letter)
            if time.monotonic() > deadline:
                late = f"the flow is not complete after {self._config.run_seconds:.0f} s"
                raise FlowFailedError(Reason.RUN_DEADLINE, f"{late}; {report.waiting}" if report.waiting else late)
            self._pause(interval)
            interval = min(LONGEST_POLL, interval * 1.5)
        if not report.is_closed:
            raise FlowFailedError(Reason.FLOW_CRASHED, "the stream ended without closing its files")
        return report

    def _account(self, report: Report, made: Parts, total: int) -> Ledger:
        config = self._config
        dead = made.dead_letters
        parts.check(made)
        ledger = accounting.take(
            report.ledger,
            sink=replace(config.sink, path=made.sink.path),
            dead_letters=replace(config.dead_letters, path=dead.path) if config.dead_letters and dead else None,
        )
        self._board.count(ledger)
        accounting.check(ledger, engine=report.ledger, total=total)
        self._check_dead_letters(ledger.dead_lettered, total=total, first=report.first_dead_letter)
        return ledger

    def _check_dead_letters(self, count: int, *, total: int, first: str) -> None:
        accounting.check_dead_letters(count, total=total, max_ratio=self._config.max_ratio, first=first)

    def _manifest(self, ledger: Ledger) -> Mapping[str, object]:
        return {
            "job": self._config.release,
            "flow": self._config.flow,
            "irDigest": self._config.ir_digest,
            "dataVersion": self._config.data_version,
            "ledger": job_json.ledger_to_json(ledger),
            "completedAt": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        }

    def _pause(self, seconds: float) -> None:
        """Wait; a wish that the flow should end ends it here, and nothing is published."""
        if not self._board.pause(seconds):
            return
        self._board.set_phase("draining")
        if self._board.wish is Wish.COMPLETE:
            message = "completion was asked for before the source was read to its end; nothing is published"
            raise FlowFailedError(Reason.COMPLETED_BY_REQUEST, message)
        why = "SIGTERM" if self._board.wish is Wish.TERMINATE else "drain"
        raise FlowFailedError(
            Reason.DRAINED, f"stopped ({why}) before the source was read to its end; nothing is published"
        )


def _open(config: RunnerConfig) -> None:
    try:
        config.source.path.open("rb").close()
    except OSError as error:
        message = f"{config.source.path}: {error.strerror or error}"
        raise FlowFailedError(Reason.SOURCE_MISSING, message) from error


def _configuration(text: str, made: Parts) -> Mapping[str, Any]:
    """The compiled stream, with this attempt's files in place of their targets."""
    configuration: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    output = configuration["output"]["modelops_file"]
    output["path"] = str(made.sink.path)
    if made.dead_letters is not None:
        output["dead_letters"]["path"] = str(made.dead_letters.path)
    return configuration
