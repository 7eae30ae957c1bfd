"""{source}, {scenario} and {out}: where a recipe's words find them, in a container or in a directory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

LAYOUT = "BISECTOR_LAYOUT"
"""The variable with the number that a build lays out its code by."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """The directories a recipe may name. {tools} holds what bisector brings along itself, such as py-spy."""

    source: str
    scenario: str
    out: str
    tools: str
    more: Mapping[str, str] = field(default_factory=dict)
    """What else is known by name where a run is made."""

    def fill(self, text: str) -> str:
        """`text` with the names in braces replaced; any other brace (JSON, shell) stays as it is."""
        for name in ("source", "scenario", "out", "tools"):
            text = text.replace(f"{{{name}}}", getattr(self, name))
        for name, value in self.more.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def fill_all(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Each of `texts`, filled."""
        return tuple(map(self.fill, texts))

    def fill_env(self, env: Mapping[str, str]) -> dict[str, str]:
        """`env` with its values filled."""
        return {name: self.fill(value) for name, value in env.items()}

    def laid_out(self, layout: int) -> "Places":
        """The same where a build is made that lays out its code by that number."""
        return replace(self, more={**self.more, "layout": str(layout)})
