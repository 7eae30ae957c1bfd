"""What all containers of one install on one engine have in common."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bisector.adapters.docker.layout import INSTANCE, OWNER, OWNERS
from bisector.adapters.docker.volumes import Volumes
from bisector.adapters.measure.host import machine_id
from bisector.adapters.measure.lock import Owner
from bisector.adapters.measure.tools import Tools, prepare
from bisector.core.model.units import digest


@dataclass(frozen=True, kw_only=True, slots=True)
class Workshop:
    """The install called `instance`: the name its images and volumes begin with, its tools, and this process of it."""

    instance: str
    name: str
    tools: Tools
    owner: Owner
    volumes: Volumes
    locks: Path
    build_env: Mapping[str, str]
    watched: bool = False
    """Whether it is looked at what else runs on the processors of a run, where the engine is on this machine."""
    abandoned: set[str] = field(default_factory=set)
    """Containers the engine did not answer about when they were to be removed; tried again before the next is made."""

    @property
    def labels(self) -> dict[str, str]:
        """What each of our containers bears: whose it is, and how to find out whether that process still lives."""
        return bearing(self.instance, self.owner)


def make_workshop(instance: str, cache: Path, build_env: Mapping[str, str], compiler: str) -> Workshop:
    """The workshop of `instance`, whose tools and locks lie below `cache`."""
    name = f"bisector-{digest(instance)[:8]}"
    tools = prepare(cache, compiler=compiler)
    owner = Owner(cache / "owners")
    return Workshop(
        instance=instance,
        name=name,
        tools=tools,
        owner=owner,
        volumes=Volumes(
            prefix=name,
            labels={INSTANCE: instance},
            filler_labels=lambda: bearing(instance, owner),
            locks=cache / "locks",
            tools=tools,
        ),
        locks=cache / "locks",
        build_env=dict(build_env),
    )


def bearing(instance: str, owner: Owner) -> dict[str, str]:
    """The labels of a container of `instance` that this process makes."""
    return {INSTANCE: instance, OWNERS: owners_of(owner), OWNER: owner.name}


def owners_of(owner: Owner) -> str:
    """Where the locks lie that tell which processes live: on which machine, in which directory."""
    return f"{machine_id() or platform.node()}:{owner.directory}"
