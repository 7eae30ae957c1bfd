"""What a comment on a pull request asks for: `@bisector compare [SCENARIO]`, `@bisector bisect GOOD..BAD SCENARIO`."""

import re
from dataclasses import dataclass
from typing import Literal

MENTION = "@bisector"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
ALLOWED = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
"""Associations of an author, in GitHub's words, that come with write access or are given by hand."""
HELP = "I understand `@bisector compare [scenario]` and `@bisector bisect GOOD..BAD scenario`."


class CommandProblem(Exception):
    """A comment that speaks to us and is not understood; the message is the reply."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Compare:
    """Compare the pull request with its base."""

    scenario: str | None
    kind: Literal["compare"] = "compare"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bisect:
    """Search between two refs."""

    good: str
    bad: str
    scenario: str
    kind: Literal["bisect"] = "bisect"


def read_command(comment: str) -> Compare | Bisect | None:
    """The command on the comment's first line; None where it does not speak to us. CommandProblem holds the reply."""
    words = comment.strip().split("\n", 1)[0].split()
    if not words or words[0].lower() != MENTION:
        return None
    match words[1:]:
        case ["compare"]:
            return Compare(scenario=None)
        case ["compare", scenario] if _NAME.fullmatch(scenario):
            return Compare(scenario=scenario)
        case ["bisect", span, scenario] if _NAME.fullmatch(scenario):
            good, dots, bad = span.partition("..")
            # A third dot asks for git's symmetric difference, which is not a range.
            if dots and all(_REF.fullmatch(ref) and ".." not in ref for ref in (good, bad)):
                return Bisect(good=good, bad=bad, scenario=scenario)
            raise CommandProblem(f"{span[:80]!r} is not a range of two refs. {HELP}")
        case _:
            raise CommandProblem(HELP)
