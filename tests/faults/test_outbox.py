"""A server that is killed anywhere while it tells of answers: each arrives, and once for whoever knows it again."""

import json
import shutil
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.entry.server.test_telling import CULPRIT, Place
from tests.faults.scenes import Driver, Scene
from tests.helpers.receiver import Receiver, receiving

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("more faults")]

STRIDE = 13
TURN = "turn of the sender"
OPEN = {"waiting", "claimed", "sending"}
LOST: float = 121.0
"""Seconds after which a sender that took a message is believed to be gone."""


class Telling:
    """An install in which two jobs ended with the same answer, and who is to be told: Slack, a webhook, and files."""

    def __init__(self, scene: Scene, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
        self.scene, self.receiver = scene, receiver
        self.answers, self.kept = scene.top / "answers", scene.top / "kept"
        config = scene.top / "bisector.toml"
        secrets = {"SLACK_URL": f"{receiver.url}/slack", "HOOK_URL": f"{receiver.url}/hook", "HOOK_SECRET": "s" * 32}
        targets = [
            {"kind": "slack", "url_env": "SLACK_URL"},
            {"kind": "webhook", "url_env": "HOOK_URL", "secret_env": "HOOK_SECRET"},
            {"kind": "file", "directory": str(self.answers)},
        ]
        lines = ("\n".join(f"{name} = {json.dumps(value)}" for name, value in each.items()) for each in targets)
        config.write_text("".join(f"[[notify]]\n{table}\n" for table in lines))
        scene.environment = {**secrets, "BISECTOR_CONFIG": str(config)}
        for name, value in secrets.items():
            monkeypatch.setenv(name, value)
        made = Place(scene.place, notify=targets)
        made.turn()
        self.jobs = [made.answer(CULPRIT) for _ in range(2)]
        made.wiring.close()
        shutil.copytree(scene.place / "state", self.kept)

    def again(self) -> None:
        """As if nobody had been told."""
        shutil.rmtree(self.scene.place / "state")
        shutil.copytree(self.kept, self.scene.place / "state")
        shutil.rmtree(self.answers, ignore_errors=True)
        self.receiver.received.clear()

    def rows(self) -> list[tuple[str, str, str]]:
        """Of each message the job, the target and what became of it; as if so much time had gone by."""
        with closing(sqlite3.connect(self.scene.place / "state" / "bisector.sqlite3")) as link:
            link.execute("UPDATE outbox SET due_at = due_at - ?, noted_at = noted_at - ?", (LOST, LOST))
            link.commit()
            return [(str(job), *rest) for job, *rest in link.execute("SELECT job_id, target, fate FROM outbox")]

    def killed(self, number: int, mutant: str = "") -> list[str]:
        """What is wrong once a server goes on after one that was killed at a place."""
        self.again()
        killed = self.scene.type(TURN, at=number, mutant=mutant)
        assert killed.code == -signal.SIGKILL, killed.output
        for _ in range(3):
            self.rows()
            ended = self.scene.type(TURN, mutant=mutant)
            assert ended.code == 0, ended.output
        return [f"killed at {number}, {killed.places[-1]}: {problem}" for problem in self.problems()]

    def problems(self) -> list[str]:
        """What is wrong in the end."""
        fates = {(job, target): fate for job, target, fate in self.rows()}
        came = Counter(each.path for each in self.receiver.received)
        hooks = {each.headers["x-bisector-delivery"] for each in self.receiver.received if each.path == "/hook"}
        first, second = self.jobs
        slack = fates.get((first, "slack"), "")
        wanted = {(first, "webhook"): "sent", (first, "file"): "sent", (first, "slack"): slack}
        wanted |= {(second, target): "repeated" for target in ("slack", "webhook", "file")}
        told = [] if fates == wanted and slack in {"sent", "unsure"} else [f"they stand as {fates}"]
        if came["/slack"] > 1 or (slack == "sent" and came["/slack"] != 1):
            told.append(f"Slack was told {came['/slack']} times, and it says {slack}")
        if len(hooks) != 1 or came["/hook"] > 2:
            told.append(f"the webhook was told {came['/hook']} times, by {len(hooks)} names")
        files = sorted(path.name for path in self.answers.iterdir()) if self.answers.exists() else []
        if files != [f"job-{first}.json", f"job-{first}.md"]:
            told.append(f"the files are {files}")
        else:
            json.loads((self.answers / files[0]).read_text())
        return told


@pytest.fixture
def telling(forked: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Telling]:
    with receiving() as receiver:
        yield Telling(Scene(forked, tmp_path, ()), receiver, monkeypatch)


@pytest.mark.parametrize("stride", [pytest.param(STRIDE, id="some"), pytest.param(1, id="all", marks=pytest.mark.long)])
def test_killed_while_it_tells_each_answer_arrives_and_once(stride: int, telling: Telling) -> None:
    telling.again()
    ended = telling.scene.type(TURN)
    assert ended.code == 0, ended.output
    assert telling.problems() == []
    wrong = [problem for number in range(1, len(ended.places) + 1, stride) for problem in telling.killed(number)]
    sys.stdout.write(f"{len(ended.places)} places, {len(wrong)} wrong\n")
    assert wrong == []


@pytest.mark.long
def test_a_message_that_is_noted_as_sent_before_it_leaves_is_missed(telling: Telling) -> None:
    telling.again()
    places = telling.scene.type(TURN, mutant="sent first").places
    sending = [number for number, place in enumerate(places, start=1) if place.startswith("before send")]
    assert all(telling.killed(number, "sent first") for number in sending)
