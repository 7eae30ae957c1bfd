"""Signed webhooks, for programs."""

import json

from bisector.adapters.notify.web import Web
from bisector.engine.notify import Telling
from bisector.engine.ports import Clock
from bisector.formats.alerts.signature import sign
from bisector.report.messages.document import news_document


class WebhookNotifier:
    """Implements `bisector.engine.notify.Notifier`. A delivery keeps its name, so that a receiver knows it again."""

    repeatable = True

    def __init__(self, web: Web, url: str, secret: str, clock: Clock) -> None:
        """The signature is that of `bisector.formats.alerts.signature.sign`."""
        self._web = web
        self._url = url
        self._secret = secret
        self._clock = clock

    def send(self, telling: Telling) -> None:
        """Post the news; NotSent."""
        document = news_document(telling.news, telling.report.repository)
        body = json.dumps(document, allow_nan=False).encode()
        stamp = int(self._clock.now().timestamp())
        headers = {
            "Content-Type": "application/json",
            "X-Bisector-Delivery": telling.delivery,
            "X-Bisector-Timestamp": str(stamp),
            "X-Bisector-Signature": sign(self._secret, telling.delivery, stamp, body),
        }
        self._web.post(self._url, body, headers)
