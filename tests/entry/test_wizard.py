"""`bisector scenario new` without a name: at a terminal it asks and writes what it was told, elsewhere it says how."""

import os
import pty
import re
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

from bisector.core.model.scenario import Better
from bisector.formats.scenario import parse_scenario
from tests.entry.conftest import Cli
from tests.helpers.installs import BISECTOR

LIMIT_SECONDS = 60


class Terminal:
    """The command at a terminal of its own."""

    def __init__(self, where: Path, *arguments: str) -> None:
        self._master, slave = pty.openpty()
        env = {**os.environ, "BISECTOR_STATE_DIR": str(where / ".state"), "BISECTOR_CACHE_DIR": str(where / ".cache")}
        self._process = subprocess.Popen(
            [*BISECTOR, *arguments], cwd=where, env=env, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self.shown = ""

    def expect(self, pattern: str) -> None:
        """Wait until what is shown since the last answer ends with `pattern`."""
        limit = time.monotonic() + LIMIT_SECONDS
        while not re.search(pattern + r"[^\n]*: $", self.shown):
            assert time.monotonic() < limit, self.shown
            assert self._read(), f"it ended, and {pattern!r} was not asked: {self.shown}"

    def answer(self, question: str, text: str) -> None:
        self.expect(question)
        self.shown = ""
        os.write(self._master, text.encode() + b"\n")

    def end(self) -> int:
        while self._read():
            pass
        os.close(self._master)
        return self._process.wait(LIMIT_SECONDS)

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], LIMIT_SECONDS)
        try:
            found = os.read(self._master, 1 << 16) if ready else b""
        except OSError:  # the other end is closed
            found = b""
        self.shown += found.decode().replace("\r\n", "\n")
        return bool(found)


def test_the_answers_make_a_scenario_that_check_accepts(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    terminal = Terminal(tmp_path, "scenario", "new")
    terminal.answer("called", "My Name")
    terminal.answer("small letters(.|\n)*called", "latency")
    terminal.answer("command is run", "")
    terminal.answer("command is run", "load | tee x")
    terminal.answer("sh -c(.|\n)*command is run", "python {scenario}/load.py 'two words' {port}")
    terminal.answer(r"built.*\[pip install --no-cache-dir .\]", "")
    terminal.answer("And then", "make")
    terminal.answer("And then", "")
    terminal.answer(r"image.*\[python:3.11-slim\]", "")
    terminal.answer("service", "y")
    terminal.answer("starts the service", "serve --fast")
    terminal.answer("stands nowhere(.|\n)*starts the service", "serve {port}")
    terminal.answer("path answers", "health")
    terminal.answer("Which", "pattern")
    terminal.answer("expression", "rate (")
    terminal.answer("one group(.|\n)*expression", r"rate ([0-9.]+)")
    terminal.answer("called", "rate")
    terminal.answer("unit", "1/s")
    terminal.answer("better", "higher")
    assert terminal.end() == 0, terminal.shown
    path = tmp_path / "scenarios" / "latency" / "scenario.toml"
    assert "Try it: bisector scenario check latency" in terminal.shown
    found = parse_scenario(path.read_bytes(), where="here")
    assert found.run.command == ("python", "{scenario}/load.py", "two words", "{port}")
    assert found.build.steps == ("pip install --no-cache-dir .", "make")
    assert (found.run.services[0].command, found.run.services[0].ready.words) == (
        ("serve", "{port}"),
        ("{port}", "/health"),
    )
    assert (found.metrics[0].source, found.metrics[0].better) == ("regex:rate ([0-9.]+)", Better.HIGHER)
    assert cli("scenario", "check", "latency", "--no-try").code == 0


@pytest.mark.parametrize(
    ("kind", "more", "source"),
    [("", [], "wall"), ("json", ["", "", "", ""], "json"), ("tool", ["pyperf", "out.json", ""], "pyperf")],
)
def test_a_plain_command_needs_few_answers(tmp_path: Path, kind: str, more: list[str], source: str) -> None:
    terminal = Terminal(tmp_path, "scenario", "new")
    for question, text in (
        ("called", "s"),
        ("run", "true"),
        ("built", ""),
        ("image", ""),
        ("service", ""),
        ("Which", kind),
    ):
        terminal.answer(question, text)
    for text in more:
        terminal.answer("", text)
    assert terminal.end() == 0, terminal.shown
    found = parse_scenario((tmp_path / "scenarios/s/scenario.toml").read_bytes(), where="here")
    assert (found.metrics[0].source, found.build.image) == (source, None)


def test_ctrl_c_leaves_and_writes_nothing(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "scenario", "new")
    terminal.expect("called")
    terminal.interrupt()
    assert terminal.end() not in (0, None)
    assert not (tmp_path / "scenarios").exists()


def test_elsewhere_it_prints_how_to_call_it(cli: Cli) -> None:
    told = cli("scenario", "new")
    assert told.code == 2
    assert "Usage: bisector scenario new [OPTIONS] [NAME]" in told.err
    assert "the scenario needs a name" in told.err
