"""Where load is marked: the `[[marks]]` tables of `bisector.toml`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from bisector.formats.service import Host, Name, Table, Variable

Kind = Literal["grafana", "alertmanager"]
_MATCHER = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)(=~|!~|!=|=)("?)(.*)\3', re.DOTALL)
OPERATORS: Mapping[str, tuple[bool, bool]] = {
    "=": (True, False),
    "!=": (False, False),
    "=~": (True, True),
    "!~": (False, True),
}
"""Whether equal, and whether by a regular expression."""
OWN: Mapping[Kind, tuple[str, ...]] = {"grafana": ("dashboard", "tags"), "alertmanager": ("matchers",)}
"""What only one kind understands; it is refused for the other, where it would be silently without effect."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Matcher:
    """What alerts a silence is for, by one label."""

    name: str
    value: str
    is_equal: bool
    is_regex: bool


def read_matcher(text: str) -> Matcher:
    """A matcher as Alertmanager writes it: `service="shop"`, `env=~"perf|bench"`; ValueError."""
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise ValueError(f'not a matcher such as service="shop": {text[:80]!r}')
    is_equal, is_regex = OPERATORS[found.group(2)]
    return Matcher(name=found.group(1), value=found.group(4), is_equal=is_equal, is_regex=is_regex)


class MarkTable(Table):
    """Where it is to be seen that bisector makes load."""

    kind: Kind = Field(description="what is told: Grafana by annotations, Alertmanager by silences")
    name: Name = Field("", validate_default=False, description="what it is called; the kind by default")
    url: str = Field(description="its address, without /api", min_length=1, max_length=500)
    token_env: Variable | None = Field(None, description="variable that holds the token")
    repositories: tuple[Name, ...] = Field((), description="only jobs about these; all by default")
    scenarios: tuple[Name, ...] = Field((), description="only jobs of these; all by default")
    dashboard: str = Field("", max_length=100, description="uid of the one dashboard that shows it; all by default")
    tags: tuple[Annotated[str, StringConstraints(min_length=1, max_length=100)], ...] = Field(
        (), description="of the annotation, besides its own"
    )
    matchers: tuple[str, ...] = Field((), description="which alerts are silent meanwhile")
    allow_http: tuple[Host, ...] = Field((), description="hosts that may be talked to without TLS")
    allow_private: tuple[Host, ...] = Field((), description="hosts that may have an address of a private network")

    @model_validator(mode="after")
    def _whole(self) -> "MarkTable":
        others = {field for kind, fields in OWN.items() if kind != self.kind for field in fields}
        problems = [f"{self.kind} knows no {field}" for field in sorted(self.model_fields_set & others)]
        problems += [f"{self.kind} needs token_env"] if self.kind == "grafana" and self.token_env is None else []
        if self.kind == "alertmanager":
            problems += _of_matchers(self.matchers)
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def called(self) -> str:
        """Its name."""
        return self.name or self.kind


def _of_matchers(matchers: tuple[str, ...]) -> list[str]:
    problems, read = [], []
    for text in matchers:
        try:
            read.append(read_matcher(text))
        except ValueError as error:
            problems.append(str(error))
    if not problems and not any(each.value and each.is_equal and not _matches_nothing(each) for each in read):
        # As Alertmanager itself demands, and a little more: what silences everything is a mistake.
        problems.append("alertmanager needs matchers, one of which has to name a value")
    return problems


def _matches_nothing(matcher: Matcher) -> bool:
    """Whether it is content with any alert at all."""
    return matcher.is_regex and matcher.value in (".*", ".+")
