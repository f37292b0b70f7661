from scheduler.client.server_events import ServerEvent, parse


def test_events_end_with_an_empty_line() -> None:
    lines = ["event: job", "id: 1", 'data: {"a":1}', "", ": still here", "", "data: two", ""]
    assert list(parse(lines)) == [
        ServerEvent(name="job", data='{"a":1}', id="1"),
        ServerEvent(name="message", data="two", id="1"),
    ]


def test_an_event_that_was_cut_short_is_left_out() -> None:
    assert list(parse(["data: whole", "", "data: half"])) == [ServerEvent(name="message", data="whole", id="")]


def test_only_one_blank_behind_the_colon_is_no_data() -> None:
    assert [event.data for event in parse(["data:  x", "data", "data:y", ""])] == [" x\n\ny"]


def test_an_id_with_a_null_is_ignored() -> None:
    assert [event.id for event in parse(["id: 1", "id: a\0b", "data: x", ""])] == ["1"]
