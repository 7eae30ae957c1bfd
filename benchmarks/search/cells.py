"""Which worlds the bench plays: one cell is a regime, a setting, an effect, a size and a build cost."""

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.search.bounds import bound_of
from benchmarks.search.worlds import Plan, Setting, World

SEED = 20261122
"""Seed of the published tables. The search was tuned on others."""
SMALL_EFFECT = 0.0035
"""The smallest change worth naming, relative: 0.35 deviations of a run in these worlds."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of the tables. `aim` is the highest cost over the bound that was aimed at, where one was set."""

    regime: str
    setting: Setting = Setting.SINGLE
    effect: float = 2.0
    size: int = 128
    build_cost: float = 5.0
    min_effect: float = SMALL_EFFECT
    aim: float | None = None

    @property
    def name(self) -> str:
        """A name that is also a file name."""
        parts = [self.setting, self.regime, f"N{self.size}", f"d{self.effect:g}", f"B{self.build_cost:g}"]
        if self.min_effect != SMALL_EFFECT:
            parts.append(f"m{self.min_effect:g}")
        return "-".join(parts)

    @property
    def bound(self) -> float | None:
        """The yardstick of the cell's cost; None where there is no culprit or no noise."""
        if self.setting is Setting.NO_CHANGE or self.regime == "exact":
            return None
        return bound_of(self.regime, self.effect, self.size, self.build_cost)

    def world(self, trial: int, seed: int) -> World:
        """The world of one trial, the same for every strategy."""
        return World(
            Plan(
                regime=self.regime,
                setting=self.setting,
                size=self.size,
                effect=self.effect,
                build_cost=self.build_cost,
                seed=seed,
                trial=trial,
            )
        )


def _each(regimes: str, **fixed: float) -> Iterable[Cell]:
    aim = fixed.pop("aim", None)
    effect = fixed.pop("effect", 2.0)
    return (Cell(regime=regime, effect=effect, aim=aim) for regime in regimes.split())


AIM = (
    Cell(regime="gauss", aim=1.7),
    Cell(regime="gauss", effect=1.0, aim=2.1),
    *_each("lognorm t3 bimodal quant", aim=1.8),
    *_each("burst hetero drift drift3 mix", aim=2.3),
    *_each("build buildmode", aim=3.0),
    *_each("same buildfix oddbuild"),
    *(
        Cell(regime=regime, setting=Setting.NO_CHANGE, min_effect=0.01)
        for regime in ("gauss", "burst", "build", "drift")
    ),
    Cell(regime="gauss", size=4096, aim=1.5),
    Cell(regime="exact"),
)
EFFECTS = tuple(
    Cell(regime="gauss", effect=effect, size=size)
    for size in (8, 32, 128, 512, 4096)
    for effect in (0.5, 1.0, 2.0, 4.0, 10.0)
)
REGIMES_BY_EFFECT = tuple(
    Cell(regime=regime, effect=effect)
    for effect in (1.0, 2.0, 4.0)
    for regime in [
        "gauss",
        "lognorm",
        "t3",
        "bimodal",
        "burst",
        "hetero",
        "quant",
        "drift",
        "drift3",
        "build",
        "buildmode",
        "buildfix",
        "mix",
    ]
)
BUILD_COSTS = tuple(
    Cell(regime="gauss", effect=effect, build_cost=cost) for cost in (0.0, 1.0, 5.0, 20.0) for effect in (1.0, 2.0)
)
SETTINGS = tuple(
    Cell(regime=regime, setting=setting)
    for setting in (Setting.NO_CHANGE, Setting.TWO, Setting.PARTIAL_FIX, Setting.UNBUILDABLE)
    for regime in ("gauss", "burst", "build", "drift")
)
ODD_BUILDS = tuple(_each("oddbuild oddbelow oddfar oddstep oddhalf"))
CALIBRATION = (
    *(
        Cell(regime=regime, effect=effect)
        for regime in ("gauss", "lognorm", "t3", "bimodal", "burst", "hetero", "quant", "drift", "build", "mix", "same")
        for effect in (1.0, 2.0)
    ),
    *(Cell(regime=regime, size=size) for regime in ("gauss", "build") for size in (8, 1024)),
    *(Cell(regime="gauss", setting=setting) for setting in Setting if setting is not Setting.SINGLE),
    *(
        Cell(regime=regime, setting=Setting.NO_CHANGE, min_effect=0.01)
        for regime in ("gauss", "burst", "build", "drift")
    ),
)
TABLES: dict[str, tuple[Cell, ...]] = {
    "aim": AIM,
    "effects": EFFECTS,
    "regimes": REGIMES_BY_EFFECT,
    "builds": BUILD_COSTS,
    "settings": SETTINGS,
    "odd": ODD_BUILDS,
    "calibration": CALIBRATION,
}


def cells_named(wanted: str) -> tuple[Cell, ...]:
    """The cells of a table, or every known cell with `wanted` in its name."""
    if wanted in TABLES:
        return TABLES[wanted]
    every = {cell.name: cell for table in reversed(TABLES.values()) for cell in table}
    return tuple(cell for name, cell in every.items() if wanted in name)
