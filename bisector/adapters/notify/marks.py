"""Marks in Grafana, as annotations, and in Alertmanager, as silences."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from bisector.adapters.notify.web import Refusal, Web
from bisector.core.model.units import Seconds
from bisector.engine.marks import Stretch
from bisector.engine.notify import NotSent
from bisector.formats.marks import Matcher

LONGEST_LIST = 16 << 20
"""Of an answer that lists silences: there may be many of other people."""
AUTHOR = "bisector"


class _Api:
    """JSON to and from a server of the settings."""

    def __init__(self, web: Web, url: str, token: str) -> None:
        self._web = web
        self._url = url.rstrip("/")
        self._headers: Mapping[str, str] = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            **({"Authorization": f"Bearer {token}"} if token else {}),
        }

    def ask(self, method: str, path: str, document: Any = None) -> Any:
        body = None if document is None else json.dumps(document).encode()
        answer = self._web.ask(method, self._url + path, body, self._headers, most=LONGEST_LIST)
        return answer.read() if answer.body else None


class GrafanaMarker:
    """Implements `bisector.engine.marks.Marker`: an annotation of the organization, or of one dashboard."""

    def __init__(self, web: Web, url: str, token: str, *, dashboard: str = "", tags: Sequence[str] = ()) -> None:
        """`token` of a service account that may write annotations."""
        self._api = _Api(web, url, token)
        self._dashboard = dashboard
        self._tags = tuple(tags)

    def make(self, stretch: Stretch, *, again: bool) -> str:
        """Add an annotation, or find the one that was added before."""
        if again and (known := self._known(stretch)):
            return self.change(known, stretch)
        document = {
            **_times(stretch),
            "tags": [AUTHOR, stretch.name, *self._tags],
            "text": stretch.text,
            **({"dashboardUID": self._dashboard} if self._dashboard else {}),
        }
        made = self._api.ask("POST", "/api/annotations", document)
        if not isinstance(made, dict) or not isinstance(made.get("id"), int):
            raise NotSent("Grafana does not say which annotation it made")
        return str(made["id"])

    def change(self, outside: str, stretch: Stretch) -> str:
        """Tell another end; an annotation that a person removed stays away."""
        try:
            self._api.ask("PATCH", f"/api/annotations/{int(outside)}", _times(stretch))
        except Refusal as error:
            if error.status != 404:
                raise
        return outside

    def end(self, outside: str, stretch: Stretch) -> None:
        """Its end is now known."""
        self.change(outside, stretch)

    def _known(self, stretch: Stretch) -> str:
        found = self._api.ask("GET", f"/api/annotations?tags={AUTHOR}&tags={quote(stretch.name)}&limit=1")
        if isinstance(found, list) and found and isinstance(found[0], dict) and isinstance(found[0].get("id"), int):
            return str(found[0]["id"])
        return ""


class AlertmanagerMarker:
    """Implements `bisector.engine.marks.Marker`: a silence for what the matchers name."""

    def __init__(self, web: Web, url: str, token: str, matchers: Sequence[Matcher]) -> None:
        """`token` where a proxy before it wants one; it knows none itself."""
        self._api = _Api(web, url, token)
        self._matchers = [
            {"name": each.name, "value": each.value, "isRegex": each.is_regex, "isEqual": each.is_equal}
            for each in matchers
        ]

    def make(self, stretch: Stretch, *, again: bool) -> str:
        """Add a silence, or find the one that was added before."""
        return self._put(self._known(stretch) if again else "", stretch)

    def change(self, outside: str, stretch: Stretch) -> str:
        """Put its end off; where that makes it another silence, the number of that."""
        return self._put(outside, stretch)

    def end(self, outside: str, stretch: Stretch) -> None:
        """Expire it. One that is not there, or ended by itself, is well."""
        del stretch
        try:
            self._api.ask("DELETE", f"/api/v2/silence/{quote(outside, safe='')}")
        except Refusal as error:
            # An expired one is answered 500 by some versions: it says nothing of the server, and nothing is to be done.
            if error.status not in (404, 500) or self._began(outside):
                raise

    def _put(self, known: str, stretch: Stretch) -> str:
        """A silence that ended by itself is made anew: it cannot be taken up again."""
        began = self._began(known) if known else ""
        document = {
            **({"id": known} if began else {}),
            "matchers": self._matchers,
            # Only with the beginning that it has there is it the same silence.
            "startsAt": began or _moment(stretch.begin),
            "endsAt": _moment(stretch.end),
            "createdBy": AUTHOR,
            "comment": f"{stretch.name}: {stretch.text}",
        }
        made = self._api.ask("POST", "/api/v2/silences", document)
        if not isinstance(made, dict) or not isinstance(made.get("silenceID"), str):
            raise NotSent("Alertmanager does not say which silence it made")
        return str(made["silenceID"])

    def _known(self, stretch: Stretch) -> str:
        for silence in self._silences():
            text = str(silence.get("comment", ""))
            if silence.get("createdBy") == AUTHOR and text.startswith(f"{stretch.name}:"):
                return str(silence.get("id", ""))
        return ""

    def _began(self, outside: str) -> str:
        """When a silence that lasts began, as it is written there; "" for one that has ended or is not there."""
        try:
            found = self._api.ask("GET", f"/api/v2/silence/{quote(outside, safe='')}")
        except Refusal as error:
            if error.status != 404:
                raise
            return ""
        return str(found.get("startsAt", "")) if isinstance(found, dict) and _state(found) != "expired" else ""

    def _silences(self) -> list[dict[str, Any]]:
        """Those that have not expired."""
        found = self._api.ask("GET", "/api/v2/silences")
        if not isinstance(found, list):
            raise NotSent("Alertmanager's answer is not a list")
        return [each for each in found if isinstance(each, dict) and _state(each) != "expired"]


def _state(silence: Mapping[str, Any]) -> object:
    status = silence.get("status")
    return status.get("state") if isinstance(status, dict) else None


def _times(stretch: Stretch) -> dict[str, int]:
    """In milliseconds."""
    return {"time": int(stretch.begin * 1000), "timeEnd": int(stretch.end * 1000)}


def _moment(seconds: Seconds) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
