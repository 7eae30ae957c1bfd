"""What a candidate is built from: its tree, with the scenario's patches and, where that is allowed, its submodules."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bisector.core.model.builds import Elsewhere
from bisector.core.model.request import Request
from bisector.core.model.scenario import Patch
from bisector.core.model.trials import Transplant
from bisector.errors import ScenarioError

MOST_TOLD = 20
"""Things left out that are recorded by name."""


class Checkouts(Protocol):
    """The part of a repository that says what is in a tree: `bisector.engine.ports.Repository` has it."""

    def elsewhere(self, tree: str) -> Elsewhere:
        """What `tree` refers to and does not hold."""
        ...

    def with_submodules(self, tree: str) -> str:
        """`tree` with the files of its submodules; RefError where one cannot or must not be fetched, InfraFault where
        that may pass. Submodules of submodules are left out."""
        ...

    def patched_tree(self, patch: bytes, tree: str) -> Transplant:
        """`tree` with `patch`, as `git apply` reads it; UsageError when it is no patch."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkout:
    """The tree that is built, the patches in it, what is left out of it, and why it cannot be built ("" if it can)."""

    tree: str
    patches: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    problem: str = ""
    passing: bool = False
    """Whether the problem lies in settings or elsewhere, and may be gone when the same is built again."""

    def explained(self, reason: str) -> str:
        """Why a build of it failed, with what it lacked: a reader must not look for that in the commit."""
        return f"{reason} (not in the checkout: {', '.join(self.left_out)})" if reason and self.left_out else reason


def check_out(request: Request, tree: str, repository: Checkouts, files: Path | None) -> Checkout:
    """What is built for `tree`: the same for every commit that has it. `files` is where the scenario's files lie."""
    recipe = request.scenario.build
    elsewhere = repository.elsewhere(tree)
    if elsewhere.unfit:
        return Checkout(tree=tree, problem=elsewhere.unfit)
    submodules, lfs = elsewhere.submodules, elsewhere.lfs
    refused = [name for name, wish in ((submodules, recipe.submodules), (lfs, recipe.lfs)) if name and wish == "refuse"]
    if refused:
        kind = "submodule" if refused[0] is submodules else "Git LFS file"
        return Checkout(tree=tree, problem=f"the checkout wants the {kind} {refused[0][0]}, which the scenario refuses")
    if recipe.submodules == "fetch" and submodules:
        tree, submodules = repository.with_submodules(tree), ()
        unfit = repository.elsewhere(tree).unfit
        if unfit:
            return Checkout(tree=tree, problem=unfit)
    left_out = tuple(_told([*(f"submodule {name}" for name in submodules), *(f"Git LFS file {name}" for name in lfs)]))
    applied: list[str] = []
    for patch in recipe.patches:
        made = repository.patched_tree(_content(patch, files), tree)
        if made.tree:
            tree = made.tree
            applied.append(patch.file)
        elif patch.when == "always":
            problem = f"{patch.file} does not apply: {', '.join(made.conflicts[:3])}"
            return Checkout(tree=tree, patches=tuple(applied), left_out=left_out, problem=problem)
    return Checkout(tree=tree, patches=tuple(applied), left_out=left_out)


def _told(names: list[str]) -> Iterator[str]:
    yield from names[:MOST_TOLD]
    if len(names) > MOST_TOLD:
        yield f"{len(names) - MOST_TOLD} more"


def _content(patch: Patch, files: Path | None) -> bytes:
    path = None if files is None else files / patch.file
    if path is None or not path.is_file():
        raise ScenarioError(f"there is no {patch.file} beside the scenario", where="[build] patches")
    return path.read_bytes()
