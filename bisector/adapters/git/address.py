"""A repository behind an address."""

import re
from collections.abc import Mapping
from pathlib import Path

from bisector.adapters.git.command import redact
from bisector.adapters.git.mirror import Mirror
from bisector.adapters.git.names import full_name, resolve_name
from bisector.adapters.git.origin import Origin
from bisector.core.model.units import Sha
from bisector.errors import UsageError

NETWORK_VARIABLES = frozenset(
    {
        *("SSH_AUTH_SOCK", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "SSL_CERT_FILE", "SSL_CERT_DIR"),
        *("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"),
    }
)
"""What a person's environment may add to the fixed one."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONG = re.compile(r"(?:https|ssh)://(?:[^@/\s]*@)?[A-Za-z0-9\[][^@/\s]*/\S+")
_SHORT = re.compile(r"(?:[A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9][\w.-]*:(?!:|//)\S+")
_CREDENTIALS = re.compile(r"^(https://)[^/]*@|^(ssh://[^/:@]*):[^/]*@")
_NO_PROMPT = "ssh -oBatchMode=yes -oConnectTimeout=20 -oServerAliveInterval=15 -oServerAliveCountMax=8"
_PATIENCE = ("http.lowSpeedLimit=1", "http.lowSpeedTime=300")


class Address:
    """A repository that is reached over https or ssh. Names mean what they mean there, at the first look."""

    object_format = "sha1"

    def __init__(self, address: str, environment: Mapping[str, str]) -> None:
        """Nothing is reached for yet."""
        network = {name: value for name, value in environment.items() if name in NETWORK_VARIABLES}
        variables = {"GIT_SSH_COMMAND": _NO_PROMPT, **network}
        self._origin = Origin(url=address, protocols="https:ssh", settings=_PATIENCE, environment=variables)
        self._looked = False

    @property
    def location(self) -> str:
        """The address without a password and, over https, where it is one more secret, without a user either."""
        return _CREDENTIALS.sub(lambda m: m[1] or f"{m[2]}@", self._origin.url)

    @property
    def places(self) -> tuple[str]:
        """What the mirror is called by: credentials make no difference."""
        return (self.location,)

    def origin(self) -> Origin:
        """Fetching from there."""
        return self._origin

    def look_up(self, ref: str, mirror: Mirror) -> Sha:
        """The commit that `ref` names, in the mirror from now on; RefError when it names none."""
        known = full_name(ref)
        if known is not None:
            mirror.bring(self._origin, known)
        elif not self._looked:
            mirror.bring_all(self._origin)
            self._looked = True
        if ref.startswith(("HEAD", "@")):
            mirror.take_head(self._origin)
        return resolve_name(mirror.git, ref, where=self.location)


def is_address(location: str) -> bool:
    """Whether it is an address, not a path. UsageError for anything that git must not be given as either."""
    if _CONTROL.search(location):
        raise UsageError(f"the repository {location!r} holds a control character")
    if location.startswith("-") or not location:
        raise UsageError(f"{location!r} is neither a path nor an address")
    if _LONG.fullmatch(location) or (_SHORT.fullmatch(location) and not Path(location).exists()):
        return True
    if "://" in location or re.match(r"\w+::", location):
        advice = "Give a path, or an address that begins with https:// or ssh://"
        raise UsageError(f"{redact(location)!r} is not an address the repository may have", then=advice)
    return False
