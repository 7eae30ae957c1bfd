"""A real browser, driven as a person would: chromedriver over the WebDriver protocol, which needs nothing but HTTP."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-file-access-from-files",
)
PATIENCE = 30.0
"""Seconds that a test waits for what is to appear, on a busy machine."""
PHONE, DESKTOP = 390, 1280
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The name that the protocol gives to references to elements."""


@dataclass(frozen=True)
class Tab:
    """A tab of the browser."""

    session: str
    """Address of the session."""

    def open(self, url: str, *, width: int = DESKTOP) -> None:
        """Go to a page, and wait until it has been loaded."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self._call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": size})
        self._call("POST", "/url", {"url": url})

    def run(self, script: str) -> Any:
        """What the body of a function returns in the page."""
        return self._call("POST", "/execute/sync", {"script": script, "args": []})

    def click(self, text: str) -> None:
        """Click the first link or button whose text begins so, and wait for the page after it."""
        path = f"(//a|//button)[starts-with(normalize-space(.), {json.dumps(text)})]"
        found = self._call("POST", "/element", {"using": "xpath", "value": path})
        self._call("POST", f"/element/{found[ELEMENT]}/click", {})

    def write(self, selector: str, text: str) -> None:
        """Type into a field."""
        found = self._call("POST", "/element", {"using": "css selector", "value": selector})
        self._call("POST", f"/element/{found[ELEMENT]}/value", {"text": text})

    @property
    def text(self) -> str:
        """What can be read on the page."""
        return str(self.run("return document.body.innerText"))

    @property
    def path(self) -> str:
        """Where it is, without the server."""
        return str(self.run("return location.pathname + location.search"))

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than the screen."""
        return int(self.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for something to come true in the page."""
        limit = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < limit, f"waited {PATIENCE:g} s for {what}; the page reads:\n{self.text[:2000]}"
            time.sleep(0.1)

    def _call(self, method: str, path: str, body: object = None) -> Any:
        return call(method, f"{self.session}{path}", body)


def call(method: str, url: str, body: object = None) -> Any:
    """One command of the protocol; what it answers."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, method=method, data=data, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        raise AssertionError(json.load(error)["value"]["message"].splitlines()[0]) from None


def browser_program() -> str:
    """The browser's program. Without one a test skips at home and fails in CI."""
    return _found(*BROWSERS)


def find_browser() -> str | None:
    """The browser's program, where there is one."""
    return _first(*BROWSERS)


def _first(*names: str) -> str | None:
    return next((found for name in names if (found := shutil.which(name))), None)


def _found(*names: str) -> str:
    program = _first(*names)
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"none of {', '.join(names)} is installed")
        pytest.skip(f"needs one of {', '.join(names)} (tests/environment/up.sh browser)")
    return program


@contextmanager
def browsing() -> Iterator[Tab]:
    """A browser with one tab. Without one a test skips at home and fails in CI."""
    program, driver = browser_program(), _found("chromedriver")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen([driver, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            session = _begin(f"http://127.0.0.1:{port}", program, profile)
            yield Tab(session)
            call("DELETE", session)
        finally:
            process.terminate()
            process.wait(20)


def _begin(driver: str, program: str, profile: str) -> str:
    options = {"binary": program, "args": [*FLAGS, f"--user-data-dir={profile}"]}
    wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
    limit = time.monotonic() + PATIENCE
    while True:
        try:
            return f"{driver}/session/{call('POST', f'{driver}/session', wanted)['sessionId']}"
        except urllib.error.URLError:
            assert time.monotonic() < limit, "chromedriver does not answer"
            time.sleep(0.1)
