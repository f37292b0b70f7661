"""One flow from its source to its sink: gate, load and activate, follow, account, commit."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import yaml

from scheduler.flow import accounting, gate, parts, sources
from scheduler.flow.completion import Completion
from scheduler.flow.config import Checked, File, RunnerConfig
from scheduler.flow.control import Board, Wish
from scheduler.flow.engine import Engine, Place, Report
from scheduler.flow.failure import FlowFailedError
from scheduler.flow.parts import Part, Parts
from scheduler.flow.source_count import Grown
from scheduler.model import job_json
from scheduler.model.job import Ledger, Reason

FIRST_POLL: Final = 0.01
LONGEST_POLL: Final = 0.25
SAMPLE: Final = 10_000
"""The least number of records that the dead letters of a stream are measured against while it goes on."""

_log = logging.getLogger(__name__)


def run(config: RunnerConfig, engine_text: str, *, board: Board, attempt: str, place: Place) -> Completion:
    """Run the flow; never raises. A result is published exactly when the completion is a success."""
    began = time.monotonic()
    attempt_ = _Attempt(config, engine_text, board=board, name=attempt)
    end = Completion(reason=Reason.FLOW_CRASHED)
    try:
        end = attempt_.run(place)
    except FlowFailedError as error:
        asked = attempt_.given_up_for in {Wish.DRAIN, Wish.COMPLETE}
        end = Completion(reason=error.reason, message=str(error), ledger=board.progress().ledger, is_asked=asked)
    except Exception as error:  # noqa: BLE001 (the last line of defence: it is reported, and nothing is published)
        _log.exception("the flow runner crashed")
        message = f"{type(error).__name__}: {error}"
        end = Completion(reason=Reason.FLOW_CRASHED, message=message, ledger=board.progress().ledger)
    board.set_phase("finished")
    return replace(end, total=board.progress().total, seconds=time.monotonic() - began)


class _Attempt:
    def __init__(self, config: RunnerConfig, engine_text: str, *, board: Board, name: str) -> None:
        self._config = config
        self._engine_text = engine_text
        self._board = board
        self._name = name
        self._source = sources.of(config)
        self._drained_at: int | None = None
        """How much of an endless source belongs to the result, in its unit; None before it is drained."""
        self.given_up_for: Wish | None = None
        """The wish that ended the flow without a result."""

    def run(self, place: Place) -> Completion:
        """The end with a published result; FlowFailedError for every other end, with nothing published."""
        config = self._config
        with Engine(place) as engine:  # it starts while the source is counted
            self._source.open()
            made = parts.prepare(
                sink=_path(config.sink),
                dead_letters=_path(config.dead_letters),
                release=config.release,
                attempt=self._name,
            )
            try:
                self._count_source()
                gate.wait(config.services, seconds=config.ready_seconds, pause=self._pause, say=self._board.say)
                engine.load(_configuration(self._engine_text, made), pause=self._pause)
                self._board.set_phase("running")
                report = self._follow(engine)
                read = self._read(report)
                ledger = self._account(report, made, read.records)
                parts.commit(made, self._manifest(ledger, read), digests=report.digests)
            finally:
                engine.stop()
                parts.discard(made)
        return self._published(ledger, read)

    def _count_source(self) -> None:
        """A batch knows its records before it reads them; how many a stream will have nobody knows."""
        config = self._config
        if config.is_followed:
            _log.info("%s is followed until the flow is drained", self._source)
            return
        total = self._source.count()
        self._board.set_phase("starting", total=total)
        _log.info("%d records in %s", total, self._source)

    def _follow(self, engine: Engine) -> Report:
        """The engine's last report on a stream that came to its end and closed its files."""
        late = time.monotonic() + (self._config.run_seconds or math.inf)
        interval = FIRST_POLL
        while True:
            report = engine.report()
            self._board.count(report.ledger)
            self._board.say(report.waiting)
            if report.failure is not None:
                raise report.failure
            if not report.is_active:
                break
            self._check_progress(report, is_late=time.monotonic() > late)
            self._drain(engine)
            self._pause(interval)
            interval = min(LONGEST_POLL, interval * 1.5)
        if not report.is_closed:
            raise FlowFailedError(Reason.FLOW_CRASHED, "the stream ended without closing its files")
        if self._config.is_followed and self._drained_at is None:
            raise FlowFailedError(Reason.FLOW_CRASHED, "the stream ended before it was drained")
        return report

    def _check_progress(self, report: Report, *, is_late: bool) -> None:
        total = self._board.progress().total
        accounting.check_dead_letters(
            report.ledger.dead_lettered,
            total=report.ledger.read if total is None else total,
            at_least=SAMPLE if total is None else 0,
            max_ratio=self._config.max_ratio,
            first=report.first_dead_letter,
        )
        if is_late:
            read = f"{report.ledger.read}{'' if total is None else f' of {total}'} records were read"
            late = f"scoring was not over after {self._config.run_seconds:g} s: {read}"
            raise FlowFailedError(Reason.RUN_DEADLINE, f"{late}; {report.waiting}" if report.waiting else late)

    def _drain(self, engine: Engine) -> None:
        """When somebody wishes an end: let a followed source end where it ends now."""
        if not self._config.is_followed or self._board.wish is None or self._drained_at is not None:
            return
        self._drained_at = engine.drain(self._source.size())
        self._board.set_phase("draining")
        unit = "bytes" if isinstance(self._config.source, File) else "records"
        _log.info("draining: the result takes the source's first %d %s", self._drained_at, unit)

    def _read(self, report: Report) -> Grown:
        """What there was to be read, counted apart from the engine."""
        total = self._board.progress().total
        if self._drained_at is None:
            return Grown(records=report.ledger.read if total is None else total, size=0)
        found = self._source.grown(self._drained_at)
        self._board.set_phase("draining", total=found.records)
        return found

    def _account(self, report: Report, made: Parts, total: int) -> Ledger:
        config = self._config
        parts.check(made)
        ledger = accounting.take(
            report.ledger,
            sink=_written(config.sink, made.sink),
            dead_letters=_written(config.dead_letters, made.dead_letters) if config.dead_letters else None,
            counted=report.counted,
        )
        self._board.count(ledger)
        accounting.check(ledger, engine=report.ledger, total=total)
        accounting.check_dead_letters(
            ledger.dead_lettered, total=total, max_ratio=config.max_ratio, first=report.first_dead_letter
        )
        return ledger

    def _manifest(self, ledger: Ledger, read: Grown) -> Mapping[str, object]:
        config = self._config
        size = {"bytes": read.size} if isinstance(config.source, File) else {}
        position = {"position": {**size, "records": read.records}} if config.is_followed else {}
        return {
            "job": config.release,
            "flow": config.flow,
            "irDigest": config.ir_digest,
            "dataVersion": config.data_version,
            **position,
            "ledger": job_json.ledger_to_json(ledger),
            "completedAt": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        }

    def _published(self, ledger: Ledger, read: Grown) -> Completion:
        if self._drained_at is None:
            return Completion(reason=Reason.COMPLETED, ledger=ledger, is_published=True)
        reason = Reason.COMPLETED_BY_REQUEST if self._board.wish is Wish.COMPLETE else Reason.DRAINED
        message = f"drained: all {read.records} records that the source had are in the result"
        if left := self._drained_at - read.size:
            message += f"; {left} bytes behind them are no record yet, their line has not ended"
        return Completion(reason=reason, message=message, ledger=ledger, is_published=True)

    def _pause(self, seconds: float) -> None:
        """Wait; FlowFailedError when somebody wishes an end that leaves nothing to publish.

        That is every end of a batch before its own, however little is missing. A stream is drained instead.
        """
        is_stream = self._config.is_followed
        self._board.pause(seconds, is_ending=is_stream and self._board.wish is not None)
        wish = self._board.wish
        if wish is None or (is_stream and wish is not Wish.TERMINATE):
            return
        self.given_up_for = wish
        self._board.set_phase("draining")
        if wish is Wish.COMPLETE:
            message = "completion was asked for before the source was read to its end; nothing is published"
            raise FlowFailedError(Reason.COMPLETED_BY_REQUEST, message)
        why = "SIGTERM" if wish is Wish.TERMINATE else "drain"
        raise FlowFailedError(
            Reason.DRAINED, f"stopped ({why}) before the source was read to its end; nothing is published"
        )


def _path(end: File | Checked | None) -> Path | None:
    return end.path if isinstance(end, File) else None


def _written(end: File | Checked, part: Part | None) -> File | Checked:
    """Where this attempt has written what belongs to the end."""
    return replace(end, path=part.path) if isinstance(end, File) and part is not None else end


def _configuration(text: str, made: Parts) -> Mapping[str, Any]:
    """The compiled stream, with this attempt's files in place of their targets."""
    configuration: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    (output,) = configuration["output"].values()
    if made.sink is not None:
        output["path"] = str(made.sink.path)
    if made.dead_letters is not None:
        output["dead_letters"]["path"] = str(made.dead_letters.path)
    return configuration
