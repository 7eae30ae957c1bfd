"""A server with a bot, and the GitHub that it talks to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from bisector.adapters.store.tables import commands
from bisector.engine.bot import Bot
from bisector.engine.stop import StopSignal
from bisector.server.assembly import service_of
from tests.entry.server.conftest import Serve, World, github_signature
from tests.helpers.github import FORK, GitHub, issue_comment
from tests.helpers.receiver import receiving

SHOP = {"name": "shop", "runner": "local", "forge": "github", "web": "https://github.example/Octo/Shop"}

HOOKS = [{"source": "github", "secret_env": ["HOOK_SECRET"], "repository": "shop"}]


@dataclass
class Rig:
    """A server with a bot, and the GitHub that it talks to."""

    world: World
    github: GitHub
    bot: Bot
    sent: int = 0

    def say(self, body: str, **changed: Any) -> dict[str, Any]:
        """Somebody comments; what the hook answers."""
        event = issue_comment(body, **changed)
        self.sent += 1
        headers = {
            "x-github-event": "issue_comment",
            "x-github-delivery": f"g{self.sent}",
            "x-hub-signature-256": github_signature(event),
        }
        answer = self.world.client.post("/v1/hooks/github", content=event, headers=headers)
        assert answer.status_code in (200, 202), answer.text
        document: dict[str, Any] = answer.json()
        return document

    def turn(self) -> int:
        return self.bot.turn(StopSignal())

    def jobs(self) -> list[str]:
        return [row.job for row in self.world.wiring.store.jobs()]

    def answer(self, issue: int = 7) -> str:
        """The bot's only comment."""
        (ours,) = self.github.ours(issue)
        return str(ours["body"])

    def later(self, seconds: float) -> None:
        """As if so much time had gone by for the comments."""
        with self.world.wiring.database.writing() as connection:
            connection.execute(commands.update().values(due_at=commands.c.due_at - seconds))

    def open_rows(self) -> int:
        with self.world.wiring.database.reading() as connection:
            return sum(not row.closed for row in connection.execute(commands.select()))


@contextmanager
def bot_on(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """A server with a bot, and one pull request."""
    github = GitHub()
    monkeypatch.setenv("BOT_TOKEN", github.token)
    plain = serve().wiring.settings.repositories[0].location
    with receiving() as receiver:
        receiver.answer = github
        world = serve(
            repositories=[{**SHOP, "location": plain}],
            hooks=HOOKS,
            bot={"token_env": "BOT_TOKEN", "api": receiver.url},
            server={"public_url": "https://bisector.example"},
        )
        github.pull(7, world.fork)
        yield rig_of(world, github)


def rig_of(world: World, github: GitHub) -> Rig:
    """The same with another server of that world."""
    bot = service_of(world.wiring, world.wiring.settings, ()).bot
    assert bot is not None
    return Rig(world=world, github=github, bot=bot)


def of_fork(rig: Rig, **changed: Any) -> None:
    """The pull request is the commit that is on no configured branch."""
    rig.github.pull(7, rig.world.fork, head={**FORK, **changed})


def fenced(serve: Serve, rig: Rig) -> Rig:
    """The same where runs are made in containers."""
    settings = rig.world.wiring.settings
    location = settings.repositories[0].location
    assert settings.bot is not None
    world = serve(
        repositories=[{**SHOP, "location": location, "runner": "docker"}],
        hooks=HOOKS,
        bot={"token_env": "BOT_TOKEN", "api": settings.bot.api},
    )
    return rig_of(world, rig.github)
