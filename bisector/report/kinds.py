"""Builds of two kinds, told: how many are of the odd one, and how far off those lie."""

import math
from typing import TYPE_CHECKING

from bisector.report import numbers

if TYPE_CHECKING:
    from bisector.core.model.calibration import Calibration
    from bisector.core.search.outlook import Outlook


def kinds_told(found: "Outlook") -> str | None:
    """How many builds are odd, and by how much they differ; None where builds are not of two kinds."""
    posterior = found.posterior
    if posterior is None or posterior.kinds is None:
        return None
    odd, builds = int((posterior.surplus() != 0).sum()), numbers.count(len(posterior.unit_mean), "build")
    beside = _beside(found.view.scale.relative(posterior.kinds.gap))
    if odd:
        return f"{numbers.whole(odd)} of {builds} lie {beside}"
    return f"none of {builds} lies {beside}, as some did before"


def kinds_known(known: "Calibration") -> str | None:
    """The same of what is known of a scenario; None where its builds are not known to be of two kinds."""
    return f"some builds lie {_beside(math.expm1(known.gap))}" if known.gap else None


def _beside(apart: float) -> str:
    return f"{numbers.percent(abs(apart))} {'above' if apart > 0 else 'below'} the others"
