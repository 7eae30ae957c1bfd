"""Images: found or pulled, told apart by labels, removed."""

import contextlib
import time
from collections.abc import Mapping
from typing import Any

import docker.errors

from bisector.adapters import durable
from bisector.adapters.docker.engine import Engine, faults
from bisector.adapters.docker.layout import BASE, INSTANCE, KEY, OWNER, OWNERS, SOURCE
from bisector.core.model.units import Bytes, Seconds, digest
from bisector.errors import EnvironmentFault, InfraFault

PULL_LIMIT: Seconds = 300.0

_DOCKER_NAMES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


def resolve(engine: Engine, image: str) -> str:
    """The id of `image`, which is pulled when it is not there; EnvironmentFault when it cannot be had."""
    found = find(engine, image)
    if found is None:
        problem = pull(engine, image)
        found = find(engine, image)
        if found is None:
            raise EnvironmentFault(
                f"there is no image {image} here, and it could not be pulled",
                where=problem,
                then=f"Try `docker pull {image}`, or name an image that `docker images` lists",
            )
    return str(found["Id"])


def find(engine: Engine, image: str) -> dict[str, Any] | None:
    """What the engine knows of an image, by name or id; None when it is not there, or none is named."""
    if not image:
        return None
    with faults("look at an image"):
        try:
            found: dict[str, Any] = engine.api.inspect_image(image)  # type: ignore[no-untyped-call]
        except docker.errors.NotFound:
            return None
        except docker.errors.APIError as error:
            if error.status_code == 400:  # not a name an image can have
                return None
            raise
        return found


def labels_of(image: dict[str, Any]) -> dict[str, str]:
    """An image's labels."""
    return (image.get("Config") or {}).get("Labels") or {}


def is_ours(image: dict[str, Any], instance: str, key: str) -> bool:
    """Whether the image is this install's build with this key."""
    labels = labels_of(image)
    return labels.get(INSTANCE) == instance and labels.get(KEY) == key


def runs_code_for(image: dict[str, Any], machine: str) -> bool:
    """Whether a program compiled for `machine` (as `uname -m` has it) runs in a container of this image."""
    return image.get("Os") == "linux" and image.get("Architecture") == _DOCKER_NAMES.get(machine, machine)


def runs_alike(image: dict[str, Any]) -> str:
    """A digest of what of an image reaches a run: its files and its environment; who made it when does not."""
    layers = (image.get("RootFS") or {}).get("Layers") or [image["Id"]]
    return digest(*layers, "--env", *sorted((image.get("Config") or {}).get("Env") or []))


def digest_of(image: dict[str, Any], name: str) -> str:
    """The digest by which a registry knows the image called `name`; its id where it is in none."""
    repository = repository_of(name)[0]
    known = [each.partition("@") for each in image.get("RepoDigests") or []]
    own = [found for at, _, found in known if at == repository]
    return next(iter(own), "") or next((found for _, _, found in known), "") or str(image["Id"])


def repository_of(name: str) -> tuple[str, str]:
    """An image's name without its tag or digest, and that."""
    if "@" in name:
        repository, _, tag = name.partition("@")
        return repository, tag
    if ":" in name.rpartition("/")[2]:
        repository, _, tag = name.rpartition(":")
        return repository, tag
    return name, "latest"


def own_size(engine: Engine, image: str) -> Bytes:
    """What an image takes beyond the one it was made from; 0 when it is not there."""
    found = find(engine, image)
    if found is None:
        return 0
    base = find(engine, labels_of(found).get(BASE, ""))
    return int(found["Size"]) - (0 if base is None else int(base["Size"]))


def commit(engine: Engine, container: str, name: str, labels: Mapping[str, str]) -> str:
    """Make an image called `name` of a container in which nothing runs; its id.

    The container's own labels would go with it, and from the image to whatever somebody starts from it by hand, which
    `sweep` would then take for ours: so there is no owner.
    """
    repository, _, tag = name.partition(":")
    settings = {**labels, OWNER: "", OWNERS: ""}
    changes = ["ENTRYPOINT []", 'CMD ["sh"]', f"WORKDIR {SOURCE}", "HEALTHCHECK NONE"]
    changes += [f'LABEL "{label}"="{value}"' for label, value in settings.items()]
    with faults("commit a container"), engine.patient():
        durable.passing("before commit an image")
        made = engine.api.commit(container, repository=repository, tag=tag, pause=False, changes=changes)
    durable.passing("after commit an image")
    return str(made["Id"])


def remove(engine: Engine, image: str) -> None:
    """Remove an image and its unnamed parents; InfraFault while a container uses it."""
    with faults("remove an image"):
        try:
            with durable.step("remove an image"):
                engine.api.remove_image(image, force=True)
        except docker.errors.NotFound:
            pass
        except docker.errors.APIError as error:
            if error.status_code == 409:
                raise InfraFault("the image is in use", where=str(error.explanation)) from error
            raise


def pull(engine: Engine, image: str) -> str:
    """Pull within PULL_LIMIT; what went wrong, if anything did."""
    limit = time.monotonic() + PULL_LIMIT
    repository, tag = repository_of(image)
    problem = ""
    try:
        with contextlib.closing(engine.api.pull(repository, tag=tag, stream=True, decode=True)) as events:
            for event in events:
                problem = str(event.get("error", problem))
                if time.monotonic() > limit:
                    return f"not done after {PULL_LIMIT:g} s"
    except docker.errors.APIError as error:
        return str(error.explanation or error).strip()
    except OSError as error:  # of which requests' errors are a kind
        return str(error)
    return problem
