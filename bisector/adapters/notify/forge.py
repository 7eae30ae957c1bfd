"""GitHub as commands in comments need it: who may write, what a pull request is, and our one answer to a comment."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from bisector.adapters.notify.github import GitHubApi
from bisector.adapters.notify.web import Refusal
from bisector.core.model.units import Seconds, parse_sha
from bisector.engine.commands import PullRequest
from bisector.engine.notify import NotSent


class GitHubForge:
    """Implements `bisector.engine.commands.Forge`."""

    def __init__(self, api: GitHubApi) -> None:
        """Nothing is reached for yet."""
        self._api = api

    def may_write(self, where: str, login: str, user: int) -> bool:
        """Whether the user of that name, who has to be the one with that number, may write to the repository."""
        try:
            found = self._api.ask("GET", f"{_repository(where)}/collaborators/{quote(login, safe='')}/permission")
        except Refusal as error:
            if error.status != 404:
                raise
            return False
        if not isinstance(found, dict):
            raise NotSent("GitHub's answer about a permission cannot be read")
        # A name that was given up may be somebody else's by now.
        who = found.get("user")
        same = isinstance(who, dict) and who.get("id") == user
        return same and found.get("permission") in ("admin", "write")

    def pull_request(self, where: str, number: int) -> PullRequest:
        """The pull request of that number."""
        found = self._api.ask("GET", f"{_repository(where)}/pulls/{number}")
        try:
            head, base = found["head"], found["base"]
            return PullRequest(
                head=parse_sha(head["sha"]),
                base=str(base["ref"]),
                foreign=_id(head["repo"]) != _id(base["repo"]),
                pushed=_seconds(head["repo"]["pushed_at"]) if head["repo"] is not None else 0.0,
            )
        except (KeyError, TypeError, ValueError):
            raise NotSent("GitHub's answer about a pull request cannot be read") from None

    def answer(self, where: str, issue: int, mark: str, body: str, known: int | None) -> int:
        """Our comment with that mark on the issue says `body` from now on: edited where it is there, else made."""
        one = f"{_repository(where)}/issues/comments"
        if known is not None and self._api.edit(f"{one}/{known}", body):
            return known
        return self._api.say(f"{_repository(where)}/issues/{issue}/comments", one, mark, body)


def _repository(where: str) -> str:
    return f"/repos/{quote(where)}"


def _id(repository: Any) -> int | None:
    """None for a fork that is gone."""
    return None if repository is None else int(repository["id"])


def _seconds(text: str) -> Seconds:
    return datetime.fromisoformat(text).timestamp()
