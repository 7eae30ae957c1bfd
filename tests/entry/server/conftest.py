"""A server on a database and a repository of its own, reached without a network."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from bisector.engine.stop import StopSignal
from bisector.formats.alerts.signature import sign
from bisector.server.app import create_app
from bisector.server.assembly import service_of
from bisector.settings import Settings
from bisector.wiring import Wiring
from tests.helpers.repositories import Sandbox

SCENARIO = """\
name = "level"
description = "how long it takes"
[run]
command = ["python", "-c", "print(1)"]
[[metrics]]
name = "seconds"
source = "number"
"""
SECRET, TOKEN = "a secret of the hook", "a token of the server"


@dataclass(frozen=True)
class World:
    """What a test needs to know of the repository."""

    client: TestClient
    wiring: Wiring
    good: str
    bad: str
    fork: str
    """A commit that is on no configured branch."""

    def order(self, **changed: Any) -> dict[str, Any]:
        """An order for the whole range."""
        return {"repository": "shop", "scenario": "level", "good": self.good, "bad": self.bad, **changed}

    def alert(self, document: object, *, delivery: str = "d1", secret: str = SECRET, age: int = 0) -> Response:
        """Send a signed alert of our own shape."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        stamp = int(self.wiring.clock.now().timestamp()) - age
        headers = {
            "x-bisector-delivery": delivery,
            "x-bisector-timestamp": str(stamp),
            "x-bisector-signature": sign(secret, delivery, stamp, body),
        }
        answer: Response = self.client.post("/v1/hooks/monitor", content=body, headers=headers)
        return answer


Serve = Callable[..., World]


def github_signature(body: bytes, secret: str = SECRET) -> str:
    """The signature that GitHub sends."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Makes servers; settings can be added."""
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    monkeypatch.setenv("SERVER_TOKEN", TOKEN)
    sandbox = Sandbox.make(tmp_path / "shop")
    sandbox.write({"a.py": "1", "scenarios/level/scenario.toml": SCENARIO})
    good = sandbox.commit("first")
    for number in range(4):
        sandbox.write({"a.py": f"{number}"})
        sandbox.commit(f"change {number} <script>alert(1)</script>")
    bad = sandbox.git("rev-parse", "HEAD")
    sandbox.git("switch", "--quiet", "--create", "fork", good)
    sandbox.write({"a.py": "evil"})
    fork = sandbox.commit("of a fork")
    sandbox.git("switch", "--quiet", "main")
    opened: list[Wiring] = []

    def make(**changed: Any) -> World:
        values: dict[str, Any] = {
            "state_dir": tmp_path / "state",
            "cache_dir": tmp_path / "cache",
            "repositories": [{"name": "shop", "location": str(sandbox.top), "runner": "local"}],
            "hooks": [
                {"source": "generic", "name": "monitor", "secret_env": ["HOOK_SECRET"]},
                {"source": "github", "secret_env": ["HOOK_SECRET"], "repository": "shop", "scenario": "level"},
            ],
            **changed,
        }
        settings = Settings(**values)
        wiring = Wiring(StopSignal(), settings)
        opened.append(wiring)
        tokens = (TOKEN,) if settings.server.token_env else ()
        client = TestClient(create_app(service_of(wiring, settings, tokens)), raise_server_exceptions=False)
        return World(client=client, wiring=wiring, good=str(good), bad=bad, fork=str(fork))

    yield make
    for wiring in opened:
        wiring.close()
