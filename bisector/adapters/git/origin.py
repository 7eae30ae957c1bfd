"""What a mirror fetches from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from bisector.adapters.git.command import Git, redact


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """An address or a path, the transports that may be used for it, and what else git needs to reach it."""

    url: str
    protocols: str
    settings: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def apply(self, git: Git) -> Git:
        """`git` with this as its remote "source". The address travels by environment: `ps` shows argument lists."""
        url = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "remote.source.url", "GIT_CONFIG_VALUE_0": self.url}
        variables = {**git.environment, "GIT_ALLOW_PROTOCOL": self.protocols, **self.environment, **url}
        settings = (*git.settings, *self.settings)
        return replace(git, place=redact(self.url), settings=settings, environment=variables)
