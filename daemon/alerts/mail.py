"""E-mail by SMTP: STARTTLS wherever the server offers it, and no password over a line that is not encrypted."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from urllib.parse import urlsplit

from msgspec import Struct

from daemon.alerts.catalogue import Severity
from daemon.alerts.message import Message
from daemon.alerts.posting import TIMEOUT_S, DeliveryFailed

_PORTS = {"smtp": 587, "smtps": 465}


class Mailbox(Struct, frozen=True, kw_only=True):
    """Where mail is handed in, by whom, to whom; `password` is a secret."""

    url: str
    sender: str
    to: str
    username: str = ""
    password: str = ""


def mail(box: Mailbox, tls: ssl.SSLContext | None = None) -> Callable[[Message], None]:
    """`tls` is what certificates are checked with, None for the system's."""
    parts = urlsplit(box.url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    context = ssl.create_default_context() if tls is None else tls

    def send(message: Message) -> None:
        try:
            with _opened(parts.scheme, host, port, context) as server:
                _log_in(server, box, host)
                server.send_message(_letter(box, message))
        except smtplib.SMTPResponseException as error:
            raise DeliveryFailed(f"{host}: SMTP {error.smtp_code} ({type(error).__name__})") from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise DeliveryFailed(f"{host}: {getattr(error, 'strerror', None) or type(error).__name__}") from None

    return send


def _opened(scheme: str, host: str, port: int, context: ssl.SSLContext) -> smtplib.SMTP:
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)
    server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    try:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
    except BaseException:
        server.close()
        raise
    return server


def _log_in(server: smtplib.SMTP, box: Mailbox, host: str) -> None:
    if not box.username:
        return
    if not isinstance(server.sock, ssl.SSLSocket):
        raise DeliveryFailed(f"{host}: offers no encryption, the password is not sent")
    server.login(box.username, box.password)


def _letter(box: Mailbox, message: Message) -> EmailMessage:
    letter = EmailMessage()
    letter["Subject"], letter["From"], letter["To"] = message.title, box.sender, box.to
    letter["Message-ID"] = f"<{message.id}.{message.code}@openbell>"
    letter["X-Openbell-Severity"] = message.severity.value
    if message.severity is Severity.PAGE:
        letter["Importance"] = "high"
    letter.set_content(message.body())
    return letter
