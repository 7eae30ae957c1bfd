"""GitHub as a bot talks to it, on a receiver of this machine: as its REST API is documented (version 2022-11-28)."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from tests.helpers.receiver import Received, Reply

REPOSITORY = {"id": 1, "full_name": "octo/shop", "pushed_at": "2026-11-27T10:00:00Z"}
FORK = {"id": 2, "full_name": "stranger/shop", "pushed_at": "2026-11-27T10:00:00Z"}
WRITTEN = "2026-11-27T11:00:00Z"


@dataclass
class GitHub:
    """A repository octo/shop with its people, pull requests and comments."""

    token: str = "a token"
    login: str = "bisector-bot"
    permissions: dict[str, tuple[int, str]] = field(default_factory=lambda: {"alice": (11, "write")})
    """By login: number and legacy permission."""
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    down: int = 0
    """Requests that are answered 502 from now on."""
    loses_answers: bool = False
    """Whether comments are made and edited, and the answer that says so is lost."""
    asked: list[str] = field(default_factory=list)

    def pull(self, number: int, sha: str, *, base: str = "main", head: dict[str, Any] | None = REPOSITORY) -> None:
        """A pull request; `head` is the repository of its commits, None for one that was deleted."""
        self.pulls[number] = {
            "number": number,
            "state": "open",
            "head": {"ref": "topic", "sha": sha, "repo": head},
            "base": {"ref": base, "sha": "0" * 40, "repo": REPOSITORY},
        }

    def ours(self, issue: int) -> list[dict[str, Any]]:
        """The comments of the bot on an issue."""
        return [one for one in self.comments.get(issue, []) if one["user"]["login"] == self.login]

    def __call__(self, request: Received) -> Reply:
        # Names of owners and repositories are the same in capitals.
        path = request.path.partition("?")[0].replace("/repos/Octo/Shop/", "/repos/octo/shop/")
        self.asked.append(f"{request.method} {path}")
        if self.down > 0:
            self.down -= 1
            return Reply(502)
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return _json({"message": "Bad credentials"}, 401)
        if path == "/user":
            return _json({"login": self.login, "id": 99})
        if (found := re.fullmatch(r"/repos/octo/shop/collaborators/([^/]+)/permission", path)) is not None:
            return self._permission(found.group(1))
        if (found := re.fullmatch(r"/repos/octo/shop/pulls/(\d+)", path)) is not None:
            pull = self.pulls.get(int(found.group(1)))
            return _json({"message": "Not Found"}, 404) if pull is None else _json(pull)
        if (found := re.fullmatch(r"/repos/octo/shop/issues/(\d+)/comments", path)) is not None:
            return self._comments(int(found.group(1)), request)
        if (found := re.fullmatch(r"/repos/octo/shop/issues/comments/(\d+)", path)) and request.method == "PATCH":
            return self._edit(int(found.group(1)), request.json["body"])
        return _json({"message": "Not Found"}, 404)

    def _permission(self, login: str) -> Reply:
        number, permission = self.permissions.get(login, (0, ""))
        if not permission:
            return _json({"message": f"{login} is not a user"}, 404)
        return _json({"permission": permission, "role_name": permission, "user": {"login": login, "id": number}})

    def _comments(self, issue: int, request: Received) -> Reply:
        there = self.comments.setdefault(issue, [])
        if request.method == "GET":
            page = int(re.findall(r"[?&]page=(\d+)", request.path)[0])
            return _json(there[100 * (page - 1) : 100 * page])
        made = self.add(issue, request.json["body"], self.login)
        return Reply(502) if self.loses_answers else _json(made, 201)

    def add(self, issue: int, body: str, login: str) -> dict[str, Any]:
        """A comment of somebody."""
        number = 9000 + sum(map(len, self.comments.values()))
        made = {"id": number, "body": body, "user": {"login": login, "type": "User"}, "bodies": [body]}
        self.comments.setdefault(issue, []).append(made)
        return made

    def _edit(self, number: int, body: str) -> Reply:
        for comment in (comment for there in self.comments.values() for comment in there):
            if comment["id"] == number and comment["user"]["login"] == self.login:
                comment["body"] = body
                comment["bodies"].append(body)
                return Reply(502) if self.loses_answers else _json(comment)
        return _json({"message": "Not Found"}, 404)


def _json(document: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(document).encode())


def issue_comment(body: str, *, comment: int = 501, issue: int = 7, login: str = "alice", **changed: Any) -> bytes:
    """The body of GitHub's `issue_comment`, as much of it as matters and some that does not.

    `changed`: action, user (the author's number), pull (whether the issue is a pull request), repository, written.
    """
    pull = changed.get("pull", True)
    user = {"login": login, "id": changed.get("user", 11), "type": changed.get("type", "User")}
    event = {
        "action": changed.get("action", "created"),
        "issue": {
            "number": issue,
            "title": "Faster",
            "user": {"login": "stranger", "id": 5, "type": "User"},
            **({"pull_request": {"url": f"https://api.github.com/repos/octo/shop/pulls/{issue}"}} if pull else {}),
        },
        "comment": {
            "id": comment,
            "body": body,
            "user": user,
            "author_association": changed.get("association", "MEMBER"),
            "created_at": changed.get("written", WRITTEN),
        },
        "repository": {"full_name": changed.get("repository", "octo/shop"), "default_branch": "main"},
        "sender": user,
    }
    return json.dumps(event).encode()
