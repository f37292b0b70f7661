"""`python -m scheduler.assembly [--charts DIR] [--check]`: bring the job's chart up to date with the sub-charts."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from scheduler import assets
from scheduler.assembly import folder
from scheduler.errors import SchedulerError


def main(argv: Sequence[str] | None = None) -> int:
    """0 when everything is as it should be; 1 with the reason, or with what is stale, on standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m scheduler.assembly", description="The charts that follow from others."
    )
    parser.add_argument("--charts", type=Path, default=None, metavar="DIR", help="folder with modelops/ and subcharts/")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when something would be written")
    options = parser.parse_args(argv)
    charts = options.charts or assets.charts()
    try:
        paths = folder.stale(charts) if options.check else folder.assemble(charts)
    except SchedulerError as error:
        print(f"modelops assembly: {error}", file=sys.stderr)
        return 1
    for path in paths:
        print(f"{'stale' if options.check else 'written'}: {path}", file=sys.stderr if options.check else sys.stdout)
    return 1 if options.check and paths else 0


if __name__ == "__main__":
    sys.exit(main())
