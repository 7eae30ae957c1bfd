"""A server that is killed anywhere while it tells of answers: each arrives, and once for whoever knows it again."""

import json
import shutil
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.entry.server.test_telling import CULPRIT, Place
from tests.faults.scenes import Driver, Scene
from tests.helpers.receiver import Receiver, receiving
from tests.helpers.told import GitHub, Sink, mail_server

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("more faults")]

STRIDE = 13
TURN = "turn of the sender"
ONCE, AGAIN = ("slack", "email"), ("webhook", "file", "github")
"""Targets by whether a message may be sent to them again when nobody knows if it arrived."""
SHOP, PAGE = "candidates=4,culprit=2", "https://github.example/shop/app"
LETTER = {"sender": "bisector@shop.example", "to": ["a@shop.example"]}
LOST: float = 121.0
"""Seconds after which a sender that took a message is believed to be gone."""


@dataclass
class World:
    """Who may be told."""

    receiver: Receiver
    """Of Slack's messages and of the webhook's."""
    forge: Receiver
    github: GitHub
    mail: Sink

    def clear(self) -> None:
        """As if nobody had been told."""
        self.receiver.received.clear()
        self.github.comments.clear()
        self.github.statuses.clear()
        self.mail.letters.clear()


class Telling:
    """An install in which two jobs ended with the same answer, and who is to be told of it in each way there is."""

    def __init__(self, scene: Scene, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.scene, self.world = scene, world
        receiver = world.receiver
        self.answers, self.kept = scene.top / "answers", scene.top / "kept"
        config = scene.top / "bisector.toml"
        secrets = {
            "SLACK_URL": f"{receiver.url}/slack",
            "HOOK_URL": f"{receiver.url}/hook",
            "HOOK_SECRET": "s" * 32,
            "FORGE_TOKEN": "the token",
        }
        targets: list[Mapping[str, object]] = [
            {"kind": "slack", "url_env": "SLACK_URL"},
            {"kind": "webhook", "url_env": "HOOK_URL", "secret_env": "HOOK_SECRET"},
            {"kind": "file", "directory": str(self.answers)},
            {"kind": "github", "token_env": "FORGE_TOKEN", "api": world.forge.url},
            {"kind": "email", "smtp_host": "127.0.0.1", "smtp_port": world.mail.port, "tls": "none", **LETTER},
        ]
        shop = {"name": "shop", "location": f"simulated:{SHOP}", "forge": "github", "web": PAGE}
        config.write_text(_table("repositories", shop) + "".join(_table("notify", each) for each in targets))
        scene.environment = {**secrets, "BISECTOR_CONFIG": str(config)}
        for name, value in secrets.items():
            monkeypatch.setenv(name, value)
        made = Place(scene.place, notify=targets, repositories=[shop])
        made.turn()
        self.jobs = [made.answer(CULPRIT) for _ in range(2)]
        made.wiring.close()
        shutil.copytree(scene.place / "state", self.kept)

    def again(self) -> None:
        """As if nobody had been told."""
        shutil.rmtree(self.scene.place / "state")
        shutil.copytree(self.kept, self.scene.place / "state")
        shutil.rmtree(self.answers, ignore_errors=True)
        self.world.clear()

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
        first, second = self.jobs
        unknown = {(first, target): fates.get((first, target), "") for target in ONCE}
        wanted = unknown | {(first, target): "sent" for target in AGAIN}
        wanted |= {(second, target): "repeated" for target in (*ONCE, *AGAIN)}
        told = [] if fates == wanted and set(unknown.values()) <= {"sent", "unsure"} else [f"they stand as {fates}"]
        came = Counter(each.path for each in self.world.receiver.received)
        for target, times in (("slack", came["/slack"]), ("email", len(self.world.mail.letters))):
            if times > 1 or (fates.get((first, target)) == "sent" and times != 1):
                told.append(f"{target} was told {times} times, and it says {fates.get((first, target))}")
        hooks = [each.headers["x-bisector-delivery"] for each in self.world.receiver.received if each.path == "/hook"]
        if len(set(hooks)) != 1 or len(hooks) > 2:
            told.append(f"the webhook was told {len(hooks)} times, by {len(set(hooks))} names")
        return told + self._forge_problems() + self._file_problems(first)

    def _forge_problems(self) -> list[str]:
        github = self.world.github
        comments = [len(there) for there in github.comments.values()]
        edits = sum(each["edits"] for there in github.comments.values() for each in there)
        shas = {sha for sha, _ in github.statuses}
        if comments == [1] and edits <= 1 and len(shas) == 1 and len(github.statuses) <= 2:
            return []
        return [f"there are {comments} comments, edited {edits} times, and {len(github.statuses)} statuses of {shas}"]

    def _file_problems(self, job: str) -> list[str]:
        files = sorted(path.name for path in self.answers.iterdir()) if self.answers.exists() else []
        if files != [f"job-{job}.json", f"job-{job}.md"]:
            return [f"the files are {files}"]
        json.loads((self.answers / files[0]).read_text())
        return []


def _table(name: str, values: Mapping[str, object]) -> str:
    return "\n".join([f"[[{name}]]", *(f"{key} = {json.dumps(value)}" for key, value in values.items()), ""])


@pytest.fixture
def telling(forked: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Telling]:
    github = GitHub(pulls=[7])
    with receiving() as receiver, receiving() as forge, mail_server() as mail:
        forge.answer = github
        world = World(receiver=receiver, forge=forge, github=github, mail=mail)
        yield Telling(Scene(forked, tmp_path, ()), world, monkeypatch)


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
