"""Versions that a build is held to, as installers are told of them."""

from bisector.adapters.measure.pinned import pinning_env
from bisector.core.model.parts import HELD
from bisector.core.model.scenario import BuildRecipe


def test_what_a_build_is_held_to_comes_beside_the_scenarios_own_constraints() -> None:
    plain = BuildRecipe(steps=("pip install x",))
    assert pinning_env(plain) == {}
    assert pinning_env(plain.held_to(HELD)) == {
        "PIP_CONSTRAINT": f"{{source}}/{HELD}",
        "UV_CONSTRAINT": f"{{source}}/{HELD}",
    }
    both = BuildRecipe(steps=("pip install x",), constraints="c.txt").held_to(HELD)
    assert pinning_env(both)["PIP_CONSTRAINT"] == f"{{scenario}}/c.txt {{source}}/{HELD}"
