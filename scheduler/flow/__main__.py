"""`python -m scheduler.flow`: run one flow, and say in the termination message how it went."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from pathlib import Path

from scheduler import assets
from scheduler.flow import completion, config, control, engine, runner


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 complete, 10 the input or the data, 11 the infrastructure; others are crashes."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=os.environ.get("MODELOPS_LOG_LEVEL", "info").upper(),
        format='{"time":"%(asctime)s","level":"%(levelname)s","logger":"%(name)s","message":"%(message)s"}',
    )
    board = control.Board()
    signal.signal(signal.SIGTERM, lambda *_: board.ask(control.Wish.TERMINATE))
    signal.signal(signal.SIGINT, lambda *_: board.ask(control.Wish.TERMINATE))
    with control.Server(board, port=options.control_port):
        end = runner.run(
            config.load(options.config),
            (options.config / "engine.yaml").read_text(),
            board=board,
            attempt=os.environ.get("POD_UID", "") or str(os.getpid()),
            place=engine.Place(program=assets.program("bento"), port=options.engine_port),
        )
    completion.write(end, options.termination_log)
    return completion.exit_code(end)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="modelops-flow", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("/etc/modelops/flow"), help="engine.yaml and runner.json")
    parser.add_argument("--control-port", type=int, default=4196)
    parser.add_argument("--engine-port", type=int, default=4195, help="on the loopback address")
    parser.add_argument("--termination-log", type=Path, default=Path("/dev/termination-log"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
