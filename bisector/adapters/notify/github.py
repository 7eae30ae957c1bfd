"""GitHub: one comment for each regression, where its culprit came from, and the status of the bad commit."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

from bisector.adapters.notify.web import Refusal, Web
from bisector.engine.notify import NotSent, Telling
from bisector.report.messages.github import github_comment, github_status, marker

MOST_PAGES = 10
"""Of a hundred comments each: further back nobody looks for our comment."""
LONGEST_PAGE = 16 << 20
"""Of an answer: a hundred comments may each be as long as one may be."""


class GitHubApi:
    """GitHub's API as the owner of a token sees it; what is done through it may be done twice."""

    def __init__(self, web: Web, api: str, token: str) -> None:
        """`token` may write comments and statuses of the repositories, and nothing else."""
        self._web = web
        self._api = api.rstrip("/")
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "Content-Type": "application/json",
        }

    def ask(self, method: str, path: str, document: Any = None) -> Any:
        """What is answered; NotSent."""
        body = None if document is None else json.dumps(document).encode()
        answer = self._web.ask(method, self._api + path, body, self._headers, most=LONGEST_PAGE)
        return answer.read() if answer.body else None

    def say(self, where: str, one: str, mark: str, body: str) -> int:
        """Our comment with that mark among those at `where` says `body`: edited where it is there, else made.

        Single comments are at `one`. The comment's number; NotSent.
        """
        for number in self._ours(where, mark):
            if self.edit(f"{one}/{number}", body):
                return number
        made = self.ask("POST", where, {"body": body})
        if not isinstance(made, dict) or not isinstance(made.get("id"), int):
            raise NotSent("GitHub does not say which comment it made", unsure=True)
        return int(made["id"])

    def edit(self, comment: str, body: str) -> bool:
        """Edit a comment; False when it is not ours after all, or gone."""
        try:
            self.ask("PATCH", comment, {"body": body})
        except Refusal as error:
            if error.status not in (403, 404):
                raise
            return False
        return True

    def _ours(self, where: str, mark: str) -> Iterator[int]:
        """Comments that begin with our marker and are written by whom the token belongs to."""
        author: str | None = None
        for page in range(1, MOST_PAGES + 1):
            found = objects(self.ask("GET", f"{where}?per_page=100&page={page}"))
            for comment in found:
                if not str(comment.get("body", "")).startswith(mark) or not isinstance(comment.get("id"), int):
                    continue
                author = self._author() if author is None else author
                user = comment.get("user") or {}
                # An app's token does not say whose it is; it may edit its own comments only, and it is a bot.
                if user.get("login") == author if author else user.get("type") == "Bot":
                    yield comment["id"]
            if len(found) < 100:
                return

    def _author(self) -> str:
        """Who comments; "" for an app, which is nobody."""
        try:
            user = self.ask("GET", "/user")
        except Refusal as error:
            if error.status not in (401, 403, 404):
                raise
            return ""
        return str(user.get("login", "")) if isinstance(user, dict) else ""


class GitHubNotifier:
    """Implements `bisector.engine.notify.Notifier`. A comment is found again by its marker and edited in place."""

    repeatable = True

    def __init__(self, api: GitHubApi) -> None:
        """Nothing is reached for yet."""
        self._api = api

    def send(self, telling: Telling) -> None:
        """Comment on the verified culprits, then set the status; NotSent."""
        if telling.forge != "github":
            raise NotSent("the repository has no page on GitHub: forge and web say where it is")
        repository = "/repos/" + quote(urlsplit(telling.web).path.strip("/").removesuffix(".git"))
        body = github_comment(telling.report, telling.news, telling.subject)
        for named in telling.news.named:
            self._comment(repository, named.sha, body, marker(telling.subject))
        self._api.ask("POST", f"{repository}/statuses/{telling.report.bad}", github_status(telling.news))

    def _comment(self, repository: str, sha: str, body: str, mark: str) -> None:
        """On the pull request that brought the commit, or on the commit where none did."""
        pulls = self._api.ask("GET", f"{repository}/commits/{sha}/pulls")
        numbers = [pull["number"] for pull in objects(pulls) if isinstance(pull.get("number"), int)]
        if numbers:
            where, one = f"{repository}/issues/{numbers[0]}/comments", f"{repository}/issues/comments"
        else:
            where, one = f"{repository}/commits/{sha}/comments", f"{repository}/comments"
        self._api.say(where, one, mark, body)


def objects(found: Any) -> list[dict[str, Any]]:
    """A list of objects, as GitHub answers; NotSent where it is none."""
    if not isinstance(found, list):
        raise NotSent("GitHub's answer is not a list")
    return [entry for entry in found if isinstance(entry, dict)]
