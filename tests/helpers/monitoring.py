"""Grafana and Alertmanager as marks talk to them, on a receiver of this machine: as their APIs are documented."""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from tests.helpers.receiver import Received, Reply


@dataclass
class Grafana:
    """Annotations."""

    annotations: dict[int, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    status: int = 0
    """What everything is answered, where it is not 0."""

    def __call__(self, request: Received) -> Reply:
        path, _, query = request.path.partition("?")
        self.asked.append(f"{request.method} {path}")
        if self.status:
            return Reply(self.status)
        if request.headers.get("authorization") != "Bearer grafana token":
            return answer({"message": "Unauthorized"}, 401)
        if path == "/api/annotations" and request.method == "POST":
            number = len(self.annotations) + 1
            self.annotations[number] = {"id": number, **request.json}
            return answer({"message": "Annotation added", "id": number})
        if path == "/api/annotations" and request.method == "GET":
            wanted = set(parse_qs(query)["tags"])
            return answer([each for each in self.annotations.values() if wanted <= set(each["tags"])])
        found = re.fullmatch(r"/api/annotations/(\d+)", path)
        if found is not None and request.method == "PATCH" and int(found.group(1)) in self.annotations:
            self.annotations[int(found.group(1))].update(request.json)
            return answer({"message": "Annotation patched"})
        return answer({"message": "Not found"}, 404)


@dataclass
class Alertmanager:
    """Silences. `now` is its clock; by it silences end."""

    now: float = 0.0
    silences: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def lasting(self) -> list[dict[str, Any]]:
        """The silences that have not expired."""
        return [each for each in self.silences.values() if self._state(each) == "active"]

    def __call__(self, request: Received) -> Reply:
        path = request.path.partition("?")[0]
        self.asked.append(f"{request.method} {path}")
        if path == "/api/v2/silences" and request.method == "POST":
            return self._put(request.json)
        if path == "/api/v2/silences":
            return answer([self._shown(each) for each in self.silences.values()])
        name = path.removeprefix("/api/v2/silence/")
        if name not in self.silences:
            return answer("silence not found", 404)
        silence = self.silences[name]
        if request.method == "GET":
            return answer(self._shown(silence))
        if self._state(silence) == "expired":
            return answer(f"silence {name} already expired", 500)
        silence["endsAt"] = moment(self.now)
        return Reply(200, b"")

    def _put(self, document: dict[str, Any]) -> Reply:
        named = document.pop("id", "")
        if named and named not in self.silences:
            return answer("silence not found", 404)
        if not any(each["value"] for each in document["matchers"]) or seconds(document["endsAt"]) <= self.now:
            return answer("silence invalid", 400)
        known = self.silences.get(named)
        if known is not None and self._state(known) == "active":
            if (known["matchers"], known["startsAt"]) == (document["matchers"], document["startsAt"]):
                known.update(document)
                return answer({"silenceID": named})
            known["endsAt"] = moment(self.now)
        name = f"silence-{len(self.silences) + 1}"
        starts = max(seconds(document["startsAt"]), self.now)
        self.silences[name] = {"id": name, **document, "startsAt": moment(starts)}
        return answer({"silenceID": name})

    def _state(self, silence: dict[str, Any]) -> str:
        return "expired" if seconds(silence["endsAt"]) <= self.now else "active"

    def _shown(self, silence: dict[str, Any]) -> dict[str, Any]:
        return {**silence, "status": {"state": self._state(silence)}}


def answer(document: object, status: int = 200) -> Reply:
    """An answer in JSON."""
    return Reply(status, json.dumps(document).encode())


def moment(time: float) -> str:
    """A time as Alertmanager writes it."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds(text: str) -> float:
    """The same in seconds since the epoch."""
    return datetime.fromisoformat(text).timestamp()
