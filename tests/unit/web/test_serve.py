import json
import logging
import sys

from scheduler.web.serve import JsonLines


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
