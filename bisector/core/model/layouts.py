"""Where a build's code lies: drawn anew for builds made afresh, where the scenario lets them."""

import re

from bisector.core.model.scenario import BuildRecipe

LAYOUTS = 2**31
SPREAD = 1327217127
"""About the golden part of LAYOUTS, and also of their 4096 and 64 last: multiples of it fill all three evenly."""
_NAMED = re.compile(r"\{layout\}|BISECTOR_LAYOUT")
_COMPILERS = "cc c++ gcc g++ clang clang++ make cmake ninja meson cargo rustc zig"
_COMPILES = re.compile(
    rf"(?:^|[\s;&|/])(?:{'|'.join(map(re.escape, _COMPILERS.split()))}|go (?:build|test|install))(?:-[0-9.]+)?(?:\s|$)"
)


def layout_of(number: int) -> int:
    """What a build of that number is told to lay out its code by: from 0, as it stands, for a commit's first build, to
    2**31 - 1.

    A Weyl sequence: where only a few positions differ (four starts in a cache line), the next builds meet all of them.
    The same for every commit, so that code that did not change lies alike on both sides of a comparison.
    """
    return number * SPREAD % LAYOUTS


def names_layout(text: str) -> bool:
    """Whether a step or a value asks for the build's layout."""
    return _NAMED.search(text) is not None


def compiles_in_one_layout(recipe: BuildRecipe) -> bool:
    """Whether the steps compile, as far as their words tell, and nothing lays out code otherwise in another build."""
    compiles = any(_COMPILES.search(step) for step in recipe.steps)
    return compiles and not any(map(names_layout, (*recipe.steps, *recipe.env.values())))
