"""The body of an answer: decompressed under a cap, whatever its headers claim."""

import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_GZIP = b"\x1f\x8b"
_UTF16_STARTS = (b"\xff\xfe<\x00", b"\xfe\xff\x00<", b"<\x00?\x00", b"\x00<\x00?")
_LONGEST_WAIT = timedelta(days=1)


class BodyError(Exception):
    """A body that cannot be read; ``reason`` is one of http.HttpReason."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def decode_body(body: bytes, encoding: str, cap: int) -> bytes:
    """*body* without its Content-Encoding, at most *cap* bytes of it ever made; raises BodyError.

    A header that lies is overruled by the bytes: a plain feed that is called gzip is used as it is, and gzip that
    nobody announced (a stored feed.xml.gz) is opened.
    """
    if len(body) > cap:
        raise BodyError("too_large", f"more than {cap} bytes")
    codings = [coding.strip().lower() for coding in encoding.split(",") if coding.strip()]
    codings = [coding for coding in codings if coding not in ("identity", "none", "utf-8", "binary")]
    if len(codings) > 2:
        raise BodyError("bad_encoding", "more than two encodings on top of each other")
    for coding in reversed(codings):
        if _looks_plain(body):
            return body
        if coding in ("gzip", "x-gzip", "deflate"):
            body = _inflate(body, _window(body, coding), cap)
        else:
            raise BodyError("bad_encoding", f"unknown Content-Encoding {coding[:40]!r}")
    return _inflate(body, 16 + zlib.MAX_WBITS, cap) if body.startswith(_GZIP) else body


def _looks_plain(body: bytes) -> bool:
    """Whether the bytes are a document already: compressed data starts with none of these."""
    head = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    return (
        not head or head[:1] in b"<{[" or body[:4] in (b"\xff\xfe<\x00", b"\xfe\xff\x00<", b"<\x00?\x00", b"\x00<\x00?")
    )


def _window(body: bytes, coding: str) -> int:
    if body.startswith(_GZIP):
        return 16 + zlib.MAX_WBITS
    if coding != "deflate":
        raise BodyError("bad_encoding", f"the bytes are not {coding}")
    zlib_header = len(body) >= 2 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
    return zlib.MAX_WBITS if zlib_header else -zlib.MAX_WBITS


def _inflate(data: bytes, window: int, cap: int) -> bytes:
    """All members of a compressed stream; stops one byte past *cap*, so that a bomb costs no memory."""
    parts: list[bytes] = []
    made = 0
    while data:
        inflater = zlib.decompressobj(window)
        try:
            part = inflater.decompress(data, cap + 1 - made)
        except zlib.error as error:
            if parts:  # rubbish after a whole member is padding
                break
            raise BodyError("bad_encoding", f"the compressed data is damaged ({error})") from error
        made += len(part)
        if made > cap:
            raise BodyError("too_large", f"more than {cap} bytes when decompressed")
        if not inflater.eof:
            raise BodyError("bad_encoding", "the compressed data ends early")
        parts.append(part)
        data = inflater.unused_data.lstrip(b"\x00")
    return b"".join(parts)


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """How long the server asks us to wait: seconds, or an HTTP date against the answer's own Date (RFC 9110, 10.2.3).

    At most a day, since an absurd value must not silence a source; None where there is none or it makes no sense.
    """
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return min(timedelta(seconds=min(int(value[:9]), 10**8)), _LONGEST_WAIT)
    try:
        until = _http_date(value)
        sent = _http_date(headers["Date"]) if "Date" in headers else datetime.now(UTC)
    except (ValueError, TypeError):
        return None
    return min(max(until - sent, timedelta(0)), _LONGEST_WAIT)


def _http_date(text: str) -> datetime:
    moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
