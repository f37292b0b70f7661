import json
import logging
import sys

import pytest

from scheduler.web.serve import JsonLines, is_worth_a_line


def test_a_line_of_the_log_is_one_json_object() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = logging.LogRecord("web", logging.ERROR, __file__, 1, "it %s", ("failed",), sys.exc_info())
    line = JsonLines().format(record)
    assert "\n" not in line
    value = json.loads(line)
    assert (value["level"], value["logger"], value["message"]) == ("error", "web", "it failed")
    assert "ValueError: two" in value["exception"]


@pytest.mark.parametrize(
    ("path", "status", "worth"),
    [("/healthz", 200, False), ("/readyz", 200, False), ("/readyz", 503, True), ("/v1/jobs", 200, True)],
)
def test_good_health_is_not_logged_all_the_time(path: str, status: int, worth: bool) -> None:
    arguments = ("10.0.0.1:1", "GET", path, "1.1", status)
    record = logging.LogRecord("uvicorn.access", logging.INFO, "", 1, '%s - "%s %s HTTP/%s" %d', arguments, None)
    assert is_worth_a_line(record) is worth
