"""`modelops`, and `python -m scheduler`."""

from __future__ import annotations

import sys

from scheduler.cli import app


def main() -> None:
    sys.exit(app.main())


if __name__ == "__main__":
    main()
