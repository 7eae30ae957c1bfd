"""Builds of two kinds, told: how many are of the odd one, and how far off those lie."""

from bisector.core.search.outlook import Outlook
from bisector.report import numbers


def kinds_told(found: Outlook) -> str | None:
    """How many builds are odd, and by how much they differ; None where builds are not of two kinds."""
    posterior = found.posterior
    if posterior is None or posterior.kinds is None:
        return None
    odd, builds = int((posterior.surplus() != 0).sum()), numbers.count(len(posterior.unit_mean), "build")
    apart = found.view.scale.relative(posterior.kinds.gap)
    side = "above" if apart > 0 else "below"
    return f"{numbers.whole(odd)} of {builds} lie {numbers.percent(abs(apart))} {side} the others"
