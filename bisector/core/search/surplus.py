"""By how much a build lies off its commit's level because it is of the odd kind, asked for by commit and build."""

from bisector.core.model.history import Place
from bisector.core.search.posterior import Posterior
from bisector.core.search.view import View


def surplus_by_build(view: View, known: Posterior | None) -> dict[tuple[Place, int], float]:
    """The surplus of each build of the view's line, in the search's units.

    Nothing where `known` is that of a part of the line, which has other builds.
    """
    placed = ((view.index_of(sample.place), view.build_number(sample)) for sample in view.compared)
    units = sorted({(index, number) for index, number in placed if index is not None})
    if known is None or len(known.unit_mean) != len(units):
        return {}
    return {
        (view.place_at(index), number): float(extra)
        for (index, number), extra in zip(units, known.surplus(), strict=True)
    }
