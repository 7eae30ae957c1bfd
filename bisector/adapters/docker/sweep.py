"""Takes away what processes of this install left behind on the engine when they were killed. Nobody else's, ever."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import docker.errors

from bisector.adapters.docker.engine import Engine, faults
from bisector.adapters.docker.layout import INSTANCE, OWNER, OWNERS, ROLE
from bisector.adapters.docker.workshop import Workshop, owners_of

UNUSED_AFTER = timedelta(days=7)
_IN_USE, _GONE = 409, 404


def sweep(engine: Engine, workshop: Workshop) -> int:
    """Remove containers whose process is gone, and volumes and prepared bases that nothing uses; how many."""
    with faults("sweep"):
        removed = _containers(engine, workshop) + _volumes(engine, workshop) + _bases(engine, workshop)
    workshop.owner.forget_dead()
    return removed


def _containers(engine: Engine, workshop: Workshop) -> int:
    """Ours by instance and by the directory that says who lives: another install's processes we could not ask for."""
    ours = [f"{INSTANCE}={workshop.instance}", f"{OWNERS}={owners_of(workshop.owner)}"]
    removed = 0
    for found in engine.api.containers(all=True, filters={"label": ours}):
        owner = found["Labels"].get(OWNER, "")
        if owner and not workshop.owner.is_alive(owner):
            engine.remove_container(found["Id"])
            removed += 1
    return removed


def _volumes(engine: Engine, workshop: Workshop) -> int:
    found = engine.api.volumes(filters={"label": f"{INSTANCE}={workshop.instance}"})["Volumes"] or []
    old = [volume["Name"] for volume in found if _is_old(datetime.fromisoformat(volume["CreatedAt"]))]
    return sum(_unless_used(engine.api.remove_volume, name) for name in old if name != workshop.volumes.tools_name)


def _bases(engine: Engine, workshop: Workshop) -> int:
    """Images that builds start from: compiled once, or made by a Dockerfile."""
    found = engine.api.images(filters={"label": f"{INSTANCE}={workshop.instance}"})
    bases = [image for image in found if image["Labels"].get(ROLE) in {"base", "dockerfile"}]
    old = [image["Id"] for image in bases if _is_old(datetime.fromtimestamp(image["Created"], UTC))]
    return sum(_unless_used(engine.api.remove_image, name) for name in old)


def _is_old(made: datetime) -> bool:
    return datetime.now(UTC) - made > UNUSED_AFTER


def _unless_used(remove: Callable[[str], object], name: str) -> bool:
    """Whether it could be removed: the engine keeps what containers or other images need."""
    try:
        remove(name)
    except docker.errors.APIError as error:
        if error.status_code in (_IN_USE, _GONE):
            return False
        raise
    return True
