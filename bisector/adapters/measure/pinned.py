"""What builds resolve, pinned to a date or by constraints: told to installers by their environment."""

import re
from collections.abc import Sequence

from bisector.adapters.measure.record import Record
from bisector.adapters.measure.steps import Execute
from bisector.core.model.scenario import BuildRecipe
from bisector.core.model.units import Seconds
from bisector.errors import ScenarioError

_ASKING_LIMIT: Seconds = 60.0
_PIP = re.compile(r"(?<!uv )\bpip[0-9.]*\b")
_HONOURED = " || ".join(
    f"{pip} install --help 2>/dev/null | grep -q -e --uploaded-prior-to" for pip in ("pip", "python3 -m pip")
)


def pinning_env(recipe: BuildRecipe) -> dict[str, str]:
    """What the steps' environment says of it; {scenario} still stands for itself."""
    env: dict[str, str] = {}
    if recipe.as_of:
        env |= {"PIP_UPLOADED_PRIOR_TO": recipe.as_of, "UV_EXCLUDE_NEWER": recipe.as_of}
    paths = [f"{{scenario}}/{recipe.constraints}"] if recipe.constraints else []
    paths += [f"{{source}}/{recipe.held}"] if recipe.held else []
    if paths:
        # Both take several, with blanks between them.
        env |= dict.fromkeys(("PIP_CONSTRAINT", "UV_CONSTRAINT"), " ".join(paths))
    return env


def check_pinned(recipe: BuildRecipe, execute: Execute) -> None:
    """ScenarioError where the steps used a pip that does not know a date and so installed what is newest.

    Asked after the steps: they may bring a newer pip along. uv has known a date from its beginnings.
    """
    if not recipe.as_of or not calls_pip(recipe.steps):
        return
    answer = execute(("sh", "-c", _HONOURED), _ASKING_LIMIT)
    if isinstance(answer, Record) and answer.exit_code == 0:
        return
    raise ScenarioError(
        f"what the steps installed was not resolved as of {recipe.as_of}: their pip does not know --uploaded-prior-to",
        where="[build] as_of",
        then="Begin the steps with `python -m pip install 'pip>=26'`, use uv, or pin versions by [build] constraints",
    )


def calls_pip(steps: Sequence[str]) -> bool:
    """Whether a step installs by pip itself."""
    return any(_PIP.search(step) for step in steps)
