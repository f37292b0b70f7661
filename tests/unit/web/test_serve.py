import gc
import json
import logging
import sys

import pytest

from scheduler.web import audit
from scheduler.web.serve import JsonLines, calm_collector, configure_logging, is_worth_a_line


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


def test_no_text_keeps_a_line_from_being_written() -> None:
    record = logging.LogRecord("web", logging.INFO, __file__, 1, "Köln \ud800x", (), None)
    line = JsonLines().format(record)
    assert json.loads(line.encode()) == json.loads(line)
    assert json.loads(line)["message"] == "Köln \ud800x"


@pytest.mark.parametrize(
    ("path", "status", "worth"),
    [("/healthz", 200, False), ("/readyz", 200, False), ("/readyz", 503, True), ("/v1/jobs", 200, True)],
)
def test_good_health_is_not_logged_all_the_time(path: str, status: int, worth: bool) -> None:
    arguments = ("10.0.0.1:1", "GET", path, "1.1", status)
    record = logging.LogRecord("uvicorn.access", logging.INFO, "", 1, '%s - "%s %s HTTP/%s" %d', arguments, None)
    assert is_worth_a_line(record) is worth


def test_a_server_seldom_stops_to_look_for_garbage() -> None:
    before, looks = gc.get_threshold(), []

    def told(phase: str, _: object) -> None:
        looks.append(phase)

    try:
        calm_collector()
        assert gc.get_freeze_count() > 10_000, "modules are not looked through again"
        gc.callbacks.append(told)
        kept = [[number] for number in range(40_000)]
        assert not looks
        kept += [[number] for number in range(40_000)]
        assert looks, "but it is looked for"
        assert len(kept) == 80_000
    finally:
        gc.callbacks.remove(told)
        gc.set_threshold(*before)
        gc.unfreeze()


def test_the_audit_is_written_whatever_the_level_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    root, level = logging.getLogger(), logging.getLogger().level
    handlers, mine = list(root.handlers), logging.getLogger(audit.LOGGER)
    try:
        configure_logging("error")
        mine.info("begin create jobs", extra={"audit": {"caller": "ada", "verb": "create"}})
        logging.getLogger("other").info("nothing that anybody waits for")
    finally:
        root.handlers, mine.level = handlers, logging.NOTSET
        root.setLevel(level)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["audit"] == {"caller": "ada", "verb": "create"}
