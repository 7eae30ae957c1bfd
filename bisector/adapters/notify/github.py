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


class GitHubNotifier:
    """Implements `bisector.engine.notify.Notifier`. A comment is found again by its marker and edited in place."""

    repeatable = True

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

    def send(self, telling: Telling) -> None:
        """Comment on the verified culprits, then set the status; NotSent."""
        if telling.forge != "github":
            raise NotSent("the repository has no page on GitHub: forge and web say where it is")
        repository = "/repos/" + quote(urlsplit(telling.web).path.strip("/").removesuffix(".git"))
        body = github_comment(telling.report, telling.news, telling.subject)
        for named in telling.news.named:
            self._comment(repository, named.sha, body, marker(telling.subject))
        self._ask("POST", f"{repository}/statuses/{telling.report.bad}", github_status(telling.news))

    def _comment(self, repository: str, sha: str, body: str, mark: str) -> None:
        """On the pull request that brought the commit, or on the commit where none did."""
        pulls = self._ask("GET", f"{repository}/commits/{sha}/pulls")
        numbers = [pull["number"] for pull in _objects(pulls) if isinstance(pull.get("number"), int)]
        if numbers:
            where, one = f"{repository}/issues/{numbers[0]}/comments", f"{repository}/issues/comments"
        else:
            where, one = f"{repository}/commits/{sha}/comments", f"{repository}/comments"
        for number in self._ours(where, mark):
            try:
                self._ask("PATCH", f"{one}/{number}", {"body": body})
            except Refusal as error:
                if error.status not in (403, 404):
                    raise
                continue  # not ours after all, or gone meanwhile
            return
        self._ask("POST", where, {"body": body})

    def _ours(self, where: str, mark: str) -> Iterator[int]:
        """Comments that begin with our marker and are written by whom the token belongs to."""
        author: str | None = None
        for page in range(1, MOST_PAGES + 1):
            found = _objects(self._ask("GET", f"{where}?per_page=100&page={page}"))
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
            user = self._ask("GET", "/user")
        except Refusal as error:
            if error.status not in (401, 403, 404):
                raise
            return ""
        return str(user.get("login", "")) if isinstance(user, dict) else ""

    def _ask(self, method: str, path: str, document: Any = None) -> Any:
        body = None if document is None else json.dumps(document).encode()
        answer = self._web.ask(method, self._api + path, body, self._headers)
        return answer.read() if method == "GET" else None


def _objects(found: Any) -> list[dict[str, Any]]:
    if not isinstance(found, list):
        raise NotSent("GitHub's answer is not a list")
    return [entry for entry in found if isinstance(entry, dict)]
