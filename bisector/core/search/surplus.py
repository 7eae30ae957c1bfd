"""By how much a build lies off its commit's level because it is of the odd kind, asked for by commit and build."""

import numpy as np

from bisector.core.model.history import Place
from bisector.core.search.posterior import Posterior
from bisector.core.search.view import View


def surplus_by_build(view: View, known: Posterior | None) -> dict[tuple[Place, int], float]:
    """The surplus of each build of the view's line, in the search's units; none where nothing is known of builds."""
    if known is None:
        return {}
    seen = view.observations()
    of_runs = known.surplus_of(np.ones(len(seen.unit_place), dtype=bool))[seen.run_unit]
    on_line = (sample for sample in view.compared if view.index_of(sample.place) is not None)
    return {
        (sample.place, view.build_number(sample)): float(extra) for sample, extra in zip(on_line, of_runs, strict=True)
    }
