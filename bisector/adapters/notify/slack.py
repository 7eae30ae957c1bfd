"""Slack's incoming webhooks, and what understands the same (Mattermost, Rocket.Chat)."""

import json

from bisector.adapters.notify.web import Web
from bisector.engine.notify import Telling
from bisector.report.messages.slack import slack_message


class SlackNotifier:
    """Implements `bisector.engine.notify.Notifier`. A message that was posted cannot be told from a new one."""

    repeatable = False

    def __init__(self, web: Web, url: str) -> None:
        """`url` is a secret: whoever has it may post."""
        self._web = web
        self._url = url

    def send(self, telling: Telling) -> None:
        """Post the message; NotSent."""
        body = json.dumps(slack_message(telling.news)).encode()
        self._web.post(self._url, body, {"Content-Type": "application/json"})
