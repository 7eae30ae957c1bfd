"""The image that somebody else built of a commit: found on the engine, or pulled."""

import re
from typing import Any

from bisector.adapters.docker import images
from bisector.adapters.docker.engine import Engine
from bisector.adapters.docker.leftovers import Leftovers
from bisector.adapters.measure.log import BuildLog
from bisector.adapters.measure.steps import Failure
from bisector.core.model.samples import Outcome
from bisector.errors import InfraFault

_MISSING = re.compile(r"manifest unknown|manifest for .* not found|name unknown|repository name not known", re.DOTALL)
"""What a registry says that was asked and has no such image. One that refuses may have it."""


def take_image(engine: Engine, name: str, log: BuildLog, leftovers: Leftovers) -> dict[str, Any] | Failure:
    """The image called `name`; a Failure where the registry says that there is none.

    InfraFault where the registry refuses or cannot be reached: that is no word about the commit. An image that is
    pulled goes with the build.
    """
    found = images.find(engine, name)
    if found is None:
        log.say(f"+ docker pull {name}")
        problem = images.pull(engine, name)
        found = images.find(engine, name)
        if found is None:
            log.say(problem)
            return _missing(name, problem)
        leftovers.add(name)
    log.say(f"{name}: {images.digest_of(found, name)}")
    return found


def _missing(name: str, problem: str) -> Failure:
    if _MISSING.search(problem):
        return Failure(outcome=Outcome.BUILD_FAILED, reason=f"there is no prebuilt image {name}")
    raise InfraFault(
        f"the prebuilt image {name} cannot be pulled",
        where=problem or "the engine does not say why",
        then=f"See what `docker pull {name}` says; a registry that refuses wants `docker login`",
    )
