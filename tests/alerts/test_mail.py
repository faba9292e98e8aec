"""Mail handed to a real SMTP server on loopback, with and without encryption."""

import asyncio
import ssl
import subprocess
from contextlib import asynccontextmanager
from email import message_from_bytes

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from daemon.alerts.mail import Mailbox, mail
from daemon.alerts.posting import DeliveryFailed
from tests.alerts.builders import a_message

PASSWORD = "correct horse battery"


class Letters:
    def __init__(self):
        self.received = []
        self.reply = "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        self.received.append((envelope.rcpt_tos, message_from_bytes(envelope.content), session.ssl is not None))
        return self.reply


@pytest.fixture
def letters():
    return Letters()


@asynccontextmanager
async def serving(letters, **options):
    """aiosmtpd in this loop; yields the URL to hand mail in at."""
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(letters, hostname="localhost", **options), "127.0.0.1", 0
    )
    async with server:
        yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
async def plain(letters):
    """A server without encryption."""
    async with serving(letters) as url:
        yield url


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


@pytest.fixture
async def encrypted(letters, certificate):
    """A server with STARTTLS that knows one password."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def known(server, session, envelope, mechanism, auth_data):
        return AuthResult(success=auth_data.password == PASSWORD.encode(), handled=False)

    async with serving(letters, tls_context=context, authenticator=known) as url:
        yield url


def a_box(url, **changes):
    return Mailbox(url=url, sender="openbell@example.org", to="you@example.org", **changes)


async def hand_in(box, tls=None, **changes):
    await asyncio.to_thread(mail(box, tls), a_message(**changes))


def trusting(certificate):
    return ssl.create_default_context(cafile=str(certificate[0]))


async def test_a_page_arrives_as_an_important_letter(plain, letters):
    await hand_in(a_box(plain))
    ((to, letter, _),) = letters.received
    assert to == ["you@example.org"]
    assert letter["Subject"] == "[PAGE] openbell paper: unprotectable"
    assert letter["Importance"] == "high"
    assert letter["Message-ID"] == "<20261120T150405-1.unprotectable@openbell>"
    assert letter.get_payload().startswith("SPY has no stop")


async def test_a_password_is_not_sent_over_a_line_without_encryption(plain, letters):
    with pytest.raises(DeliveryFailed, match=r"^127\.0\.0\.1: offers no encryption, the password is not sent$"):
        await hand_in(a_box(plain, username="u", password=PASSWORD))
    assert letters.received == []


async def test_where_the_server_offers_it_everything_goes_encrypted(encrypted, letters, certificate):
    await hand_in(a_box(encrypted, username="u", password=PASSWORD), trusting(certificate))
    assert [is_encrypted for _, _, is_encrypted in letters.received] == [True]


async def test_a_certificate_that_nobody_vouches_for_is_refused(encrypted, letters):
    with pytest.raises(DeliveryFailed, match=r"^127\.0\.0\.1: "):
        await hand_in(a_box(encrypted, username="u", password=PASSWORD))
    assert letters.received == []


async def test_a_wrong_password_is_a_line_without_the_password(encrypted, certificate):
    with pytest.raises(DeliveryFailed) as failed:
        await hand_in(a_box(encrypted, username="u", password="wrong horse"), trusting(certificate))
    assert str(failed.value) == "127.0.0.1: SMTP 535 (SMTPAuthenticationError)"


async def test_a_letter_that_the_server_refuses_has_not_got_out(plain, letters):
    letters.reply = "552 mailbox full"
    with pytest.raises(DeliveryFailed, match="SMTP 552"):
        await hand_in(a_box(plain))


async def test_a_server_that_is_not_there_is_one_line():
    with pytest.raises(DeliveryFailed, match=r"^127\.0\.0\.1: Connection refused$"):
        await hand_in(a_box("smtp://127.0.0.1:1"))
