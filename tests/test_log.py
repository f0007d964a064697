import io
import json
import logging

import pytest
import structlog

from cigri import log


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def _as_before():
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_json_that_begins_with_what_happened():
    stream = io.StringIO()
    log.configure(stream=stream)

    structlog.get_logger("cigri.engine").info("submission.recorded", cluster="dahu", jobs=3)

    [line] = lines(stream)
    assert list(line) == ["timestamp", "level", "logger", "event", "cluster", "jobs"]
    assert line["event"] == "submission.recorded"
    assert line["timestamp"].endswith("Z")


def test_events_below_the_level_are_not_logged():
    stream = io.StringIO()
    log.configure("warning", stream)

    structlog.get_logger().info("cycle.ended")
    structlog.get_logger().warning("cluster.held")

    assert [line["event"] for line in lines(stream)] == ["cluster.held"]


def test_a_bug_is_one_line_with_its_traceback():
    stream = io.StringIO()
    log.configure(stream=stream)

    try:
        {}["lost in a"]["table"]
    except KeyError:
        structlog.get_logger().exception("loop.crashed", loop="poller")

    [line] = lines(stream)
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("KeyError: 'lost in a'")


def test_the_libraries_log_in_the_same_form():
    stream = io.StringIO()
    log.configure(stream=stream)

    logging.getLogger("aiohttp.server").error("cannot %s", "read", extra={"peer": "1"})

    [line] = lines(stream)
    assert line["logger"] == "aiohttp.server"
    assert line["event"] == "cannot read"
    assert line["peer"] == "1"


@pytest.mark.parametrize("name", ["aiosqlite", "aiohttp.access"])
def test_talkative_libraries_are_heard_from_warning_up(name):
    stream = io.StringIO()
    log.configure("debug", stream)

    logging.getLogger(name).info("executing SELECT 1")
    logging.getLogger(name).warning("closed early")

    assert [line["event"] for line in lines(stream)] == ["closed early"]


def test_a_terminal_gets_readable_lines():
    stream = Terminal()
    log.configure(stream=stream)

    structlog.get_logger().info("server.started", pid=12)

    assert "server.started" in stream.getvalue()
    assert "\x1b[" in stream.getvalue()


def test_no_color_is_respected(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    log.configure(stream=stream)

    structlog.get_logger().info("server.started", pid=12)

    assert "\x1b" not in stream.getvalue()


def test_what_a_user_named_cannot_steer_the_terminal(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    log.configure(stream=stream)

    structlog.get_logger().info("campaign.created", name="\x1b[2J\nfake line")

    assert "\x1b" not in stream.getvalue()
    assert stream.getvalue().count("\n") == 1


def test_a_terminal_gets_lines_that_break_between_words_and_nothing_of_who_logged(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    stream = Terminal()
    log.configure(stream=stream)

    structlog.get_logger("cigri.daemon").info("server.started", a="x" * 40, b="y" * 30, c="z" * 9)

    first, second = stream.getvalue().splitlines()
    assert first.split()[1:] == ["[info]", "server.started", f"a='{'x' * 40}'"]
    assert second == f"{' ' * 9}b='{'y' * 30}' c='{'z' * 9}'"


def test_colours_take_no_room(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    stream = Terminal()
    log.configure(stream=stream)

    structlog.get_logger().info("server.started", a="x" * 20, b="y" * 15)

    assert stream.getvalue().count("\n") == 1


def test_a_traceback_on_a_terminal_keeps_its_lines(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    stream = Terminal()
    log.configure(stream=stream)

    try:
        {}["lost in a"]["table"]
    except KeyError:
        structlog.get_logger().exception("loop.crashed")

    assert "Traceback (most recent call last):\n" in stream.getvalue()
