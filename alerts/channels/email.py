"""Mail over SMTP: text and HTML in one message, threads by incident.

Success is the server's 250 after DATA. Replies of 4yz are tried again and those of 5yz are final (RFC 5321 §4.2.1).
Where the server takes a message for some recipients only, the rest decide: the channel remembers who has it, so that a
retry goes to the rest alone. A crash forgets that; then all get it again, under the same Message-ID.
"""

import asyncio
import hashlib
import re
import ssl
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

import aiohttp
import aiosmtplib
from pydantic import AfterValidator, ConfigDict, Field, SecretStr, model_validator

from alerts.channel import DeliveryError, DeliveryReason
from alerts.channels.base import Clock, Idempotent, Limits, Name, Strict, Timeout, Told, utc_now
from alerts.notification import Notification, Receipt
from alerts.render import message
from alerts.render.mail import html
from alerts.render.plain import plain
from alerts.render.text import cut, size

SUBJECT = 200  # bytes; longer ones are folded badly by some servers and shown by no phone
_CHART = "trend@listener"  # Content-ID of the picture; it means something within its own mail alone
_REMEMBERED = 1_000  # notifications that some recipients have and some do not

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"starttls": 587, "tls": 465, "none": 25}


def _mailbox(value: str) -> str:
    if _ADDRESS.fullmatch(value) is None or ".." in value or value.startswith(".") or ".@" in value:
        raise ValueError("must be a mail address such as pr@example.com")
    return value


Mailbox = Annotated[str, AfterValidator(_mailbox)]


class SmtpConfig(Strict):
    """The server that takes the mail."""

    host: str = Field(min_length=1, pattern=r"^\S+$", description="the server's name")
    port: int | None = Field(None, ge=1, le=65535, description="587 with starttls, 465 with tls, 25 with none")
    security: Literal["starttls", "tls", "none"] = Field("starttls", description="how the connection is protected")
    username: str | None = Field(None, description="login; the sender's address where only a password is given")
    password: SecretStr | None = Field(None, description="password of the login; none: no login")
    ca_file: Path | None = Field(None, description="certificates to trust instead of the system's, as PEM")
    timeout: Timeout = Field(timedelta(seconds=30), description="for the whole transaction")

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.password is not None and self.security == "none" and self.host not in _LOOPBACK:
            raise ValueError("a password needs security: starttls or tls")
        if self.username is not None and self.password is None:
            raise ValueError("a username needs a password")
        if self.ca_file is not None and self.security != "none" and not self.ca_file.is_file():
            raise ValueError(f"ca_file: there is no file {str(self.ca_file)!r}")
        return self


class EmailConfig(Told):
    """Sends mail."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    limits: ClassVar[Limits] = Limits(body=1024 * 1024, digest=200)
    idempotent: ClassVar[Idempotent] = "always"

    type: Literal["email"]
    name: Name | None = Field(None, description="what the channel is called in logs, metrics and records")
    to: list[Mailbox] = Field(min_length=1, max_length=100, description="recipients")
    sender: Mailbox | None = Field(
        None,
        alias="from",
        description="sender; else the login if it is an address, else listener@ and the domain of to",
    )
    smtp: SmtpConfig = Field(description="the server that takes the mail")
    chart: bool = Field(True, description="a small chart of the trend in the message")

    @property
    def carries_charts(self) -> bool:
        return self.chart

    @property
    def from_address(self) -> str:
        if self.sender is not None:
            return self.sender
        login = self.smtp.username or ""
        return login if _ADDRESS.fullmatch(login) else f"listener@{self.to[0].rpartition('@')[2]}"

    def build(self, http: aiohttp.ClientSession, *, clock: Clock = utc_now) -> "EmailChannel":
        """Needs no session; raises OSError or ssl.SSLError where ca_file cannot be read."""
        del http
        return EmailChannel(self, clock)


async def _log_in(client: aiosmtplib.SMTP, username: str, password: str) -> None:
    """By the best way that the server offers, once: a second try after a refusal may be answered by hanging up."""
    ways = {"cram-md5": client.auth_crammd5, "plain": client.auth_plain, "login": client.auth_login}
    for name, way in ways.items():
        if name in client.server_auth_methods:
            await way(username, password)
            return
    raise aiosmtplib.SMTPNotSupported("it offers no login that is known here")


class EmailChannel:
    def __init__(self, config: EmailConfig, clock: Clock = utc_now) -> None:
        self._config = config
        self._clock = clock
        self._has_it: OrderedDict[str, frozenset[str]] = OrderedDict()
        smtp = config.smtp
        self._tls: ssl.SSLContext | None = None
        if smtp.security != "none":
            self._tls = ssl.create_default_context(cafile=None if smtp.ca_file is None else str(smtp.ca_file))

    async def send(self, notification: Notification, /) -> Receipt:
        mail = compose(notification, self._config.from_address, self._config.to)
        mail["Date"] = format_datetime(self._clock())  # RFC 5322 §3.6.1: when it was handed over, not when it happened
        had = self._has_it.get(notification.key, frozenset())
        wanted = [address for address in dict.fromkeys(self._config.to) if address not in had]
        with self._errors():
            async with asyncio.timeout(self._config.smtp.timeout.total_seconds()):
                refused = await self._hand_over(mail.as_bytes(policy=SMTP_POLICY), wanted)
        if refused:
            self._remember(notification.key, had | (set(wanted) - set(refused)))
            raise self._refused_by_some(refused, len(self._config.to))
        self._has_it.pop(notification.key, None)
        return Receipt(str(mail["Message-ID"]), self._clock())

    async def _hand_over(self, mail: bytes, recipients: list[str]) -> dict[str, tuple[int, str]]:
        """One transaction; the refused recipients with the server's reply."""
        smtp, sender = self._config.smtp, self._config.from_address
        client = aiosmtplib.SMTP(
            hostname=smtp.host,
            port=smtp.port or _PORTS[smtp.security],
            local_hostname=sender.rpartition("@")[2],  # the default asks the resolver, and waits for it
            timeout=smtp.timeout.total_seconds(),
            use_tls=smtp.security == "tls",
            start_tls=False,  # asked for below, so that a server without it is told from a line that broke
            tls_context=self._tls,
        )
        try:
            await client.connect()
            await client.ehlo()
            if smtp.security == "starttls":
                if not client.supports_extension("starttls"):
                    raise aiosmtplib.SMTPNotSupported("it offers no STARTTLS")
                await client.starttls(tls_context=self._tls)
                await client.ehlo()
            if smtp.password is not None:
                await _log_in(client, smtp.username or sender, smtp.password.get_secret_value())
            try:
                refused, _ = await client.sendmail(sender, recipients, mail)
            except aiosmtplib.SMTPRecipientsRefused as error:
                return {one.recipient: (one.code, one.message) for one in error.recipients}
            with suppress(
                aiosmtplib.SMTPException, OSError, TimeoutError
            ):  # the mail is taken; a bad goodbye is nothing
                await client.quit(timeout=2)
            return {address: (reply.code, reply.message) for address, reply in refused.items()}
        finally:
            client.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        smtp = self._config.smtp
        try:
            yield
        except TimeoutError as error:  # aiosmtplib's timeouts are these too
            detail = f"{smtp.host}: not taken within {smtp.timeout.total_seconds():g} s"
            raise DeliveryError("timeout", detail, retryable=True) from self._safe(error)
        except aiosmtplib.SMTPNotSupported as error:
            detail = f"{smtp.host}: {self._scrub(str(error))}"
            raise DeliveryError("client", detail, retryable=False) from self._safe(error)
        except aiosmtplib.SMTPResponseException as error:
            raise self._refused_by_server(error) from self._safe(error)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            detail = f"{smtp.host}: the connection failed ({type(error).__name__})"
            raise DeliveryError("network", detail, retryable=True) from self._safe(error)

    def _refused_by_server(self, error: aiosmtplib.SMTPResponseException) -> DeliveryError:
        # 421: closing down; a code outside 4yz and 5yz is a broken server, which may be mended
        final = 500 <= error.code < 600
        reason: DeliveryReason = "server" if not final else "refused"
        if isinstance(error, aiosmtplib.SMTPAuthenticationError):
            reason = "auth"
        elif error.code == 552:
            reason = "too_long"
        detail = f"{self._config.smtp.host}: {error.code} {self._scrub(error.message)}"
        return DeliveryError(reason, detail, retryable=not final)

    def _refused_by_some(self, refused: dict[str, tuple[int, str]], of: int) -> DeliveryError:
        """Temporary where any refusal is: a retry goes to the refused alone, and ends in the lasting refusals."""
        told = "; ".join(
            f"{address}: {code} {self._scrub(reply)}" for address, (code, reply) in list(refused.items())[:5]
        )
        temporary = any(code < 500 for code, _ in refused.values())
        return DeliveryError("refused", f"{len(refused)} of {of} recipients refused: {told}", retryable=temporary)

    def _remember(self, key: str, addresses: frozenset[str]) -> None:
        self._has_it[key] = addresses
        self._has_it.move_to_end(key)
        while len(self._has_it) > _REMEMBERED:
            self._has_it.popitem(last=False)

    def _scrub(self, text: str) -> str:
        password = self._config.smtp.password
        if password is not None and password.get_secret_value():
            text = text.replace(password.get_secret_value(), "***")
        printable = "".join(character if character.isprintable() else " " for character in text)
        return " ".join(printable.split())[:200]

    def _safe(self, error: BaseException) -> BaseException | None:
        """The error, to chain; None where a server has sent our password back in it."""
        password = self._config.smtp.password
        value = "" if password is None else password.get_secret_value()
        return None if value and value in f"{error!s}{error!r}" else error


def compose(notification: Notification, sender: str, to: list[str]) -> EmailMessage:
    """The message without its Date; the same notification gives the same Message-ID.

    Every message of an incident refers to one root that is never sent, and answers the first one where that is known,
    so that readers make a thread of them also when the first was lost (RFC 5322 §3.6.4).
    """
    told = message(notification)
    domain = sender.rpartition("@")[2]
    root = _message_id("incident", notification.incident.id, domain)
    first = notification.previous.ref if notification.previous is not None else ""
    mail = EmailMessage(policy=SMTP_POLICY)
    # the headline is one clean line (alerts.render.text), and the policy refuses line breaks besides
    mail["Subject"] = cut(told.headline, SUBJECT, size)
    name, _, host = sender.rpartition("@")
    mail["From"] = Address("Listener", name, host)
    mail["To"] = [Address("", address.rpartition("@")[0], address.rpartition("@")[2]) for address in to]
    mail["Message-ID"] = _message_id("notification", notification.key, domain)
    if notification.kind != "test" and not notification.digest:
        threaded = re.fullmatch(r"<[A-Za-z0-9.@_-]{3,200}>", first) is not None
        mail["In-Reply-To"] = first if threaded else root
        mail["References"] = f"{root} {first}" if threaded else root
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notices in return
    mail["X-Listener-Level"] = told.level.name
    if told.level.name == "red" and notification.kind in {"open", "update", "breach", "escalate"}:
        mail["Importance"] = "high"
        mail["X-Priority"] = "1"
    mail.set_content(plain(told), charset="utf-8", cte="base64")
    chart = notification.chart
    page = html(told, chart, _CHART)
    mail.add_alternative(page, subtype="html", charset="utf-8", cte="base64")
    # fixed boundaries keep retries equal byte for byte; base64 cannot hold them
    boundary = f"=_{hashlib.sha256(notification.key.encode('utf-8', 'replace')).hexdigest()[:32]}"
    if chart is not None:  # RFC 2387: the page and what it shows are one
        _, shown = mail.iter_parts()
        shown.add_related(
            chart.png, "image", "png", cid=f"<{_CHART}>", disposition="inline", filename="trend.png", cte="base64"
        )
        shown.set_boundary(f"{boundary}r")
    mail.set_boundary(boundary)
    return mail


def _message_id(kind: str, value: str, domain: str) -> str:
    return f"<{hashlib.sha256(f'{kind}:{value}'.encode('utf-8', 'replace')).hexdigest()[:40]}@{domain}>"
