"""Links into the forge where a repository is shown, and to the report."""

import re
from dataclasses import dataclass

_HTTPS = re.compile(r"https://[A-Za-z0-9.-]+(?::\d{1,5})?(?:/[A-Za-z0-9._~%/-]*)?")
_PULL_REQUEST = re.compile(r"(?:Merge pull request #|.*\(#)(\d{1,9})(?:\)$| from )")


@dataclass(frozen=True, kw_only=True, slots=True)
class Forge:
    """How a forge's pages are addressed; {sha}, {parent} and {number} are replaced. An empty template makes no link."""

    commit: str = ""
    diff: str = ""
    pull_request: str = ""

    @classmethod
    def of(cls, kind: str, web: str) -> "Forge":
        """The forge of `kind` ("github", "gitlab", "gitea") with the repository's page at `web`.

        ValueError for another kind, or an address that is not https.
        """
        if not _HTTPS.fullmatch(web):
            raise ValueError(f"not the https address of a repository's page: {web[:80]!r}")
        base = web.rstrip("/").removesuffix(".git")
        if kind in ("github", "gitea"):
            pull = "/pull/{number}" if kind == "github" else "/pulls/{number}"
            return cls(commit=base + "/commit/{sha}", diff=base + "/compare/{parent}...{sha}", pull_request=base + pull)
        if kind == "gitlab":
            return cls(
                commit=base + "/-/commit/{sha}",
                diff=base + "/-/compare/{parent}...{sha}",
                pull_request=base + "/-/merge_requests/{number}",
            )
        raise ValueError(f"no such forge: {kind[:40]!r} (there is: github, gitlab, gitea)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Links:
    """What messages of one repository may point to."""

    report: str = ""
    forge: Forge = Forge()

    def commit(self, sha: str) -> str:
        """The page of a commit, "" where none is known."""
        return self.forge.commit.format(sha=sha)

    def diff(self, parent: str, sha: str) -> str:
        """The page of the difference between two commits."""
        return self.forge.diff.format(sha=sha, parent=parent)

    def pull_request(self, subject: str) -> str:
        """The page of the pull request that a subject names, as forges write it when they merge; "" for another."""
        found = _PULL_REQUEST.match(subject)
        return self.forge.pull_request.format(number=found.group(1)) if found else ""
