"""`[build] prebuilt` in a scenario file: what was built elsewhere, for each commit."""

import re
from typing import Any

from pydantic import Field, field_validator

from bisector.core.model.prebuilt import SHORT, Prebuilt
from bisector.formats.tables import Table, Text

_BRACES = re.compile(r"(?<!\$)\{([A-Za-z_][\w.-]*)\}")
_IN_COMMANDS = frozenset({"sha", "short", "source", "scenario", "out"})
_EXCLUDED = (
    *("dockerfile", "candidate_dockerfile", "steps", "patches", "dependency_files", "dependency_steps"),
    *("submodules", "lfs", "as_of", "constraints"),
)
_OF_CONTAINERS = ("image", "env", "network")


class PrebuiltKeys(Table):
    """The key of [build] for what is not built here."""

    prebuilt: Text | list[Text] | None = Field(
        None,
        description="in place of building: an image's name, like 'registry.example/app:{sha}', or a command (argument "
        f"list) that leaves the build's files where it runs. {{sha}} is the commit's name, {{short}} its first {SHORT} "
        "digits",
    )

    @field_validator("prebuilt")
    @classmethod
    def _known_words(cls, told: str | list[str] | None) -> str | list[str] | None:
        if isinstance(told, str):
            _check_image(told)
        elif told is not None:
            if not told or not told[0]:
                raise ValueError("the command has no words")
            for word in told:
                _check_braces(word, _IN_COMMANDS)
        return told

    def to_prebuilt(self) -> Prebuilt | None:
        """The same as a value."""
        if self.prebuilt is None:
            return None
        if isinstance(self.prebuilt, str):
            return Prebuilt(image=self.prebuilt)
        return Prebuilt(command=tuple(self.prebuilt))

    def check_alone(self, stated: frozenset[str]) -> None:
        """ValueError where keys that say how to build were `stated` beside it."""
        if self.prebuilt is None:
            return
        excluded = (*_EXCLUDED, *(_OF_CONTAINERS if isinstance(self.prebuilt, str) else ()))
        beside = [name for name in excluded if name in stated]
        if beside:
            raise ValueError(f"what is prebuilt is not built here: leave out {', '.join(beside)}")


def with_prebuilt(build: dict[str, Any], prebuilt: Prebuilt | None) -> dict[str, Any]:
    """A [build] table, as it could have been read, of what is `prebuilt`; as it is where nothing is."""
    if prebuilt is None:
        return {name: value for name, value in build.items() if name != "prebuilt"}
    left_out = {*_EXCLUDED, *(_OF_CONTAINERS if prebuilt.image else ()), "prebuilt"}
    kept = {name: value for name, value in build.items() if name not in left_out}
    return {**kept, "prebuilt": prebuilt.image or list(prebuilt.command)}


def _check_image(name: str) -> None:
    rest = name.replace("{sha}", "").replace("{short}", "")
    if rest == name:
        raise ValueError("every commit would have the same image: put {sha} or {short} into its name")
    _check_braces(name, frozenset({"sha", "short"}))
    if "{" in rest or "}" in rest or any(letter.isspace() for letter in rest) or not rest.strip(":/@"):
        raise ValueError(f"{name!r} is no name of an image, like 'registry.example/app:{{sha}}'")


def _check_braces(text: str, known: frozenset[str]) -> None:
    for found in _BRACES.findall(text):
        if found not in known:
            raise ValueError(f"{{{found}}} stands for nothing here; {{sha}} and {{short}} do")
