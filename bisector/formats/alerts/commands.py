"""What a comment on an issue asks for: `@bisector compare [SCENARIO]`, `@bisector bisect GOOD..BAD SCENARIO`."""

import re
from dataclasses import dataclass

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")


class CommandProblem(Exception):
    """A comment that speaks to us and is not understood; the message says what is not, for people."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Compare:
    """Compare the pull request with where it began."""

    scenario: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Bisect:
    """Search between two refs."""

    good: str
    bad: str
    scenario: str


def read_command(line: str) -> Compare | Bisect:
    """The command on a line that begins with a mention; CommandProblem where it is none."""
    words = line.split()[1:]
    match words:
        case ["compare"]:
            return Compare(scenario=None)
        case ["compare", scenario] if _NAME.fullmatch(scenario):
            return Compare(scenario=scenario)
        case ["bisect", span, scenario] if _NAME.fullmatch(scenario):
            good, dots, bad = span.partition("..")
            # A third dot asks for git's symmetric difference, which is not a range.
            if dots and all(_REF.fullmatch(ref) and ".." not in ref for ref in (good, bad)):
                return Bisect(good=good, bad=bad, scenario=scenario)
            raise CommandProblem(f"not a range of two refs: {span[:80]}")
        case []:
            raise CommandProblem("nothing is asked for")
        case _:
            raise CommandProblem(f"not understood: {' '.join(words)[:120]}")
