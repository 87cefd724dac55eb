import io
import json
import logging
import warnings

import pytest
import structlog

from listener import logs


@pytest.fixture
def written():
    """What was logged, as a function of the style; the log of other tests is put back."""
    stream = io.StringIO()

    def speak(style, level="debug"):
        logs.configure(level=level, style=style, stream=stream)
        return stream

    yield speak
    for handler in list(logging.getLogger().handlers):
        if isinstance(handler, logs.Libraries):
            logging.getLogger().removeHandler(handler)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


HOSTILE = "a\nfake_event source=b\r\x1b[31mred\x1b[0m \u202eright \x85 \u2028 \ud800 \x7f"


def test_json_is_one_object_a_line(written):
    """In JSON an event is one object: time in UTC, level, event, then its keys as they are."""
    out = written("json")
    structlog.get_logger().info("mentions_collected", source="weibo", count=3, took=0.25)
    [line] = out.getvalue().splitlines()
    event = json.loads(line)
    assert list(event) == ["at", "level", "event", "source", "count", "took"]
    assert event["at"].endswith("Z")
    assert (event["level"], event["source"], event["count"]) == ("info", "weibo", 3)


@pytest.mark.parametrize("style", ["json", "text"])
def test_a_hostile_value_breaks_no_line(written, style):
    """Line breaks, escape sequences, bidirectional marks and lone surrogates leave as escapes, on one line."""
    out = written(style)
    structlog.get_logger().warning("item_refused", detail=HOSTILE)
    text = out.getvalue()
    assert text.count("\n") == 1
    assert len(text.splitlines()) == 1
    assert not set(text.rstrip("\n")) & set("\r\x1b\u202e\x85\u2028\ud800\x7f")
    if style == "json":
        assert json.loads(text)["detail"] == HOSTILE


def test_text_quotes_what_would_mislead(written):
    """In text a value with a space, an equals sign or a quote stands in quotes, so that it cannot pass for a key."""
    out = written("text")
    structlog.get_logger().info("source_noted", detail='x level=critical "y"', source="weibo")
    assert out.getvalue().endswith('source_noted detail="x level=critical \\"y\\"" source=weibo\n')


@pytest.mark.parametrize("style", ["json", "text"])
def test_keys_are_closed(written, style):
    """A key that is not on the list is named, and its value is not logged."""
    out = written(style)
    structlog.get_logger().info("mentions_collected", source="weibo", webhook="https://hooks.example.com/T/s3cr3t")
    assert "s3cr3t" not in out.getvalue()
    assert "unknown_keys" in out.getvalue()
    assert "webhook" in out.getvalue()
    assert "weibo" in out.getvalue()


def test_long_values_are_cut(written):
    """A value is cut at a bound, and the cut is told."""
    out = written("json")
    structlog.get_logger().info("item_refused", detail="x" * 1_000_000)
    assert len(out.getvalue()) < 5000
    assert "(1000000 characters)" in out.getvalue()


def test_a_level_that_is_too_low_is_not_written(written):
    """Below the configured level nothing is written, and configuring again changes the level at once."""
    log = structlog.get_logger()
    out = written("json", level="warning")
    log.info("mentions_collected", count=1)
    assert out.getvalue() == ""
    written("json", level="info")
    log.info("mentions_collected", count=1)
    assert out.getvalue() != ""


@pytest.mark.parametrize("style", ["json", "text"])
def test_a_traceback_holds_no_local_values(written, style):
    """An exception comes with its traceback, without the values of variables; in text no line passes for an event."""
    out = written(style)
    token = "s3cr" + "3t"

    def fail(secret):
        raise ValueError(f"{len(secret)}\n2026-01-01T00:00:00Z info fake_event")

    try:
        fail(token)
    except ValueError:
        structlog.get_logger().error("collector_broke", source="weibo", exc_info=True)
    assert token not in out.getvalue()
    assert "ValueError" in out.getvalue()
    assert not [line for line in out.getvalue().splitlines()[1:] if not line.startswith("    | ")]


def test_libraries_are_heard_from_warning_on(written):
    """What libraries log goes the same way from warning on, and Python's warnings too; less is not written."""
    out = written("json")
    logging.getLogger("aiohttp.access").info("GET /")
    assert out.getvalue() == ""
    logging.getLogger("alembic").warning("old\nrevision %s", 5)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)  # the context has put back what configure had set
        logging.captureWarnings(capture=True)
        warnings.warn("soon gone", DeprecationWarning, stacklevel=1)
    first, second = map(json.loads, out.getvalue().splitlines())
    assert (first["event"], first["logger"], first["detail"]) == ("library_spoke", "alembic", "old\nrevision 5")
    assert "soon gone" in second["detail"]


def test_a_stream_that_cannot_be_written_stops_nothing(written):
    """A full disk or a closed stream loses the line, and the program goes on."""

    class Full(io.StringIO):
        def write(self, _):
            raise OSError(28, "No space left on device")

    logs.configure(style="json", stream=Full())
    structlog.get_logger().info("mentions_collected", count=1)
    closed = io.StringIO()
    logs.configure(style="json", stream=closed)
    closed.close()
    structlog.get_logger().info("mentions_collected", count=1)
