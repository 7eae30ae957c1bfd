"""The tools: what their user writes (`recipes/`), and how the answer is read from what they print."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

RECIPES = Path(__file__).parent / "recipes"
SESSION = "session.sh"
Answer = tuple[str, ...]
"""Commits as the tool wrote them: one that it names, several that it could not tell apart, or none."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A recipe, and the reader of its answer: of what the session printed, and its directory."""

    name: str
    recipe: str
    read: Callable[[str, Path], Answer]
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def files(self) -> tuple[Path, ...]:
        """What the user wrote, the commands that they typed among it."""
        every = sorted((RECIPES / self.recipe).rglob("*"))
        return tuple(each for each in every if each.suffix in {".sh", ".py", ".json"})

    @property
    def lines(self) -> int:
        """How much that is, without blank lines and comments."""
        written = [line.strip() for each in self.files for line in each.read_text().splitlines()]
        return sum(bool(line) and not line.startswith("#") for line in written)


def of_git_bisect(printed: str, _space: Path) -> Answer:
    """The first bad commit, or the commits that it may be where the rest was skipped."""
    if found := re.search(r"^([0-9a-f]{40}) is the first bad commit", printed, re.MULTILINE):
        return (found[1],)
    _, _, undecided = printed.partition("The first bad commit could be any of:")
    return tuple(re.findall(r"^[0-9a-f]{40}$", undecided, re.MULTILINE))


def of_asv(printed: str, _space: Path) -> Answer:
    """The commit of the greatest regression."""
    return tuple(re.findall(r"Greatest regression found: ([0-9a-f]+)", printed))


def of_git_bayesect(printed: str, _space: Path) -> Answer:
    """The commit it converged to."""
    return tuple(re.findall(r"Bisection converged to ([0-9a-f]+)", printed)[-1:])


def of_bisector(_printed: str, space: Path) -> Answer:
    """The culprits of the result, or the sets that hold them."""
    result = space / "result.json"
    if not result.exists():
        return ()
    document = json.loads(result.read_text())
    whole = document["verdict"] == "culprit_set"
    named = [culprit["set"] if whole else [culprit["commit"]] for culprit in document["culprits"]]
    return tuple(commit for commits in named for commit in commits)


TOOLS = (
    Tool(name="bisector", recipe="bisector", read=of_bisector),
    Tool(name="git bisect, hyperfine k = 5", recipe="git-bisect", read=of_git_bisect, settings={"RUNS": "5"}),
    Tool(name="git bisect, hyperfine k = 10", recipe="git-bisect", read=of_git_bisect, settings={"RUNS": "10"}),
    Tool(name="asv find", recipe="asv", read=of_asv),
    Tool(name="git-bayesect", recipe="git-bayesect", read=of_git_bayesect),
)
