"""E-mail, over TLS."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime

from bisector.core.model.units import Seconds
from bisector.engine.notify import NotSent, Telling
from bisector.engine.ports import Clock
from bisector.report.messages.letter import letter_of

PATIENCE: Seconds = 5.0


@dataclass(frozen=True, kw_only=True)
class MailServer:
    """Where letters are handed in. `tls` is starttls, implicit or none; nobody logs in where `user` is empty."""

    host: str
    port: int
    tls: str
    user: str = ""
    password: str = ""


class MailNotifier:
    """Implements `bisector.engine.notify.Notifier`. A letter that was handed in cannot be taken back."""

    repeatable = False

    def __init__(self, server: MailServer, sender: str, to: tuple[str, ...], clock: Clock) -> None:
        """Whose certificate the server shows is checked against those the system trusts."""
        self._server = server
        self._sender = sender
        self._to = to
        self._clock = clock

    def send(self, telling: Telling) -> None:
        """Hand in one letter to all; NotSent."""
        letter = letter_of(telling.news)
        message = EmailMessage()
        message["Subject"] = letter.subject
        message["From"] = self._sender
        message["To"] = ", ".join(self._to)
        message["Date"] = format_datetime(self._clock.now())
        # The same at each attempt: mail systems drop a letter that they have already.
        message["Message-ID"] = f"<{telling.delivery}@{self._sender.partition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        with self._open() as connection:
            try:
                connection.send_message(message)
            except smtplib.SMTPResponseException as error:
                raise NotSent(f"{self._server.host} answered {error.smtp_code}") from None
            except smtplib.SMTPRecipientsRefused:
                raise NotSent(f"{self._server.host} takes no letters for {', '.join(self._to)}") from None
            except (OSError, smtplib.SMTPException) as error:
                raise NotSent(f"{self._server.host} broke off ({type(error).__name__})", unsure=True) from None

    @contextmanager
    def _open(self) -> Iterator[smtplib.SMTP]:
        """A connection, secured and logged in."""
        server = self._server
        connection: smtplib.SMTP | None = None
        try:
            context = ssl.create_default_context()
            if server.tls == "implicit":
                connection = smtplib.SMTP_SSL(server.host, server.port, timeout=PATIENCE, context=context)
            else:
                connection = smtplib.SMTP(server.host, server.port, timeout=PATIENCE)
            if server.tls == "starttls":
                connection.starttls(context=context)
            if server.user:
                connection.login(server.user, server.password)
        except (OSError, smtplib.SMTPException) as error:
            if connection is not None:
                connection.close()
            code = f" ({error.smtp_code})" if isinstance(error, smtplib.SMTPResponseException) else ""
            raise NotSent(f"{server.host} cannot be used: {type(error).__name__}{code}") from None
        try:
            yield connection
        finally:
            # What was handed in is handed in, whether or not the server says good-bye.
            connection.close()
