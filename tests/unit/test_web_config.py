"""The section ``web``: what is taken, what is refused and how it is told."""

from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from listener.web.config import WebConfig


def test_defaults_stay_on_this_machine():
    """Unless told otherwise the pages are served on loopback alone, in Chinese."""
    config = WebConfig()
    assert config.address == ("127.0.0.1", 8420)
    assert config.settings(ZoneInfo("UTC"), 8420).loopback
    assert config.language == "zh"


@pytest.mark.parametrize(
    ("listen", "address", "url", "loopback"),
    [
        ("127.0.0.1:0", ("127.0.0.1", 0), "http://127.0.0.1:4711", True),
        ("localhost:80", ("localhost", 80), "http://localhost:4711", True),
        ("[::1]:8420", ("::1", 8420), "http://[::1]:4711", True),
        ("127.8.8.8:1", ("127.8.8.8", 1), "http://127.8.8.8:4711", True),
        ("0.0.0.0:8420", ("0.0.0.0", 8420), "http://127.0.0.1:4711", False),
        ("[::]:8420", ("::", 8420), "http://127.0.0.1:4711", False),
        ("[0:0:0:0:0:0:0:1]:8420", ("::1", 8420), "http://[::1]:4711", True),
        ("listener.internal:65535", ("listener.internal", 65535), "http://listener.internal:4711", False),
    ],
)
def test_addresses(listen, address, url, loopback):
    """An address gives host and port; the pages' URL is what was bound; only this machine's counts as loopback."""
    config = WebConfig(listen=listen)
    assert config.address == address
    settings = config.settings(ZoneInfo("UTC"), 4711)
    assert (settings.public_url, settings.loopback) == (url, loopback)


@pytest.mark.parametrize(
    ("listen", "why"),
    [
        ("8420", "host:port"),
        (":8420", "host:port"),
        ("127.0.0.1:", "port must be a number"),
        ("127.0.0.1:65536", "port must be a number"),
        ("127.0.0.1:-1", "port must be a number"),
        ("127.0.0.1:８０", "port must be a number"),
        ("::1:8420", "in brackets"),
        ("[127.0.0.1]:80", "IPv6"),
        ("a b:80", "name or an address"),
        ("http://a:80", "in brackets"),
        ("a/b:80", "name or an address"),
        ("", "host:port"),
    ],
)
def test_bad_addresses_are_refused_in_plain_words(listen, why):
    """What cannot be bound is refused before anything starts, and the message says what to write."""
    with pytest.raises(ValidationError, match=why):
        WebConfig(listen=listen)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://listener.example.com", "https://listener.example.com"),
        ("https://listener.example.com/", "https://listener.example.com"),
        ("http://10.0.0.1:8080/monitor/", "http://10.0.0.1:8080/monitor"),
    ],
)
def test_public_url(given, kept):
    """A public URL may hold a path, loses its trailing slash and wins over the bound address."""
    assert WebConfig(public_url=given).settings(ZoneInfo("UTC"), 1).public_url == kept


@pytest.mark.parametrize(
    "url",
    [
        "listener.example.com",
        "ftp://a.example",
        "https://",
        "https://u:p@a.example",
        "https://a.example/?x",
        "https://a.example/#x",
        "https://a b.example",
        "https://[::1",
        "https://a.example:port",
    ],
)
def test_bad_public_urls_are_refused(url):
    """What cannot start a link in a message is refused."""
    with pytest.raises(ValidationError, match="must "):
        WebConfig(public_url=url)


def test_unknown_keys_are_refused():
    """A mistyped key is an error, never ignored."""
    with pytest.raises(ValidationError, match="pubic_url"):
        WebConfig(pubic_url="https://a.example")
