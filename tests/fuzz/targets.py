"""The parsers, each as a function of bytes that raises only where the parser is wrong."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from bisector.adapters.git.changes import parse_hunks
from bisector.adapters.git.names import full_name
from bisector.core.explain.names import Names
from bisector.core.model.facts import Fact
from bisector.core.model.scenario import Metric
from bisector.core.watch.log import Record
from bisector.errors import BisectorError, StoreError, UsageError
from bisector.formats.alerts import SOURCES, AlertProblem, Defaults, Ignored, read_alert
from bisector.formats.alerts.commands import CommandProblem, read_command
from bisector.formats.alerts.comments import read_comment
from bisector.formats.alerts.signature import Scheme, delivery, verified
from bisector.formats.bundle import manifest_from_text
from bisector.formats.changes import changes_from_text, changes_to_text
from bisector.formats.cron import check_cron, next_tick, ticks_a_year
from bisector.formats.dependencies import moves_in
from bisector.formats.facts import fact_from_text, fact_to_text, kind_of, request_from_text, request_to_text
from bisector.formats.installed import debian_versions
from bisector.formats.limits import parse_limit
from bisector.formats.marks import read_matcher
from bisector.formats.profiles import folded, read_profile, stored
from bisector.formats.profiles.callgrind import read_callgrind
from bisector.formats.profiles.calls import read_allocations, read_counts
from bisector.formats.profiles.gathering import Reading
from bisector.formats.profiles.problem import ProfileProblem
from bisector.formats.quantities import parse_duration, parse_moment, parse_share
from bisector.formats.results import MEASURED, READERS, figures_there, read_figure
from bisector.formats.results.problem import ResultProblem
from bisector.formats.results.tools import TOOLS
from bisector.formats.scenario import parse_scenario
from bisector.formats.series import record_from_text, record_to_text
from bisector.settings import parse_settings

DATA = Path(__file__).parent.parent
CORPUS = Path(__file__).parent / "corpus"
FACTS = tuple(sorted(kind.__name__ for kind in get_args(Fact)))
WANTED = (
    "requirements.txt", "pyproject.toml", "package.json", "Cargo.toml", "go.mod", "poetry.lock", "Pipfile.lock",
    "package-lock.json", "yarn.lock", "pnpm-lock.yaml", "Cargo.lock",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Target:
    """A parser. Where it has `choices` the first byte of the input says which of them reads the rest."""

    read: Callable[[bytes, str], None]
    choices: Sequence[str] = ("",)
    seeds: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Patterns of files below tests/, by the choice that reads them ("" for all)."""

    def __call__(self, data: bytes) -> None:
        """Read `data`; whatever this raises is a defect of the parser."""
        if len(self.choices) == 1:
            self.read(data, self.choices[0])
        elif data:
            self.read(data[1:], self.choices[data[0] % len(self.choices)])

    def seed_inputs(self) -> list[bytes]:
        """Real files, as inputs of the target, those of up to 64 KiB."""
        found = []
        for choice, patterns in self.seeds.items():
            contents = [path.read_bytes() for pattern in patterns for path in sorted(DATA.glob(pattern))]
            numbers = [self.choices.index(choice)] if choice else range(len(self.choices))
            marks = [bytes([number]) for number in numbers] if len(self.choices) > 1 else [b""]
            found += [mark + content for mark in marks for content in contents if len(content) <= 1 << 16]
        return found


def kept(name: str) -> list[Path]:
    """The inputs that are kept for a target: those that once found something, and some to begin with."""
    return sorted((CORPUS / name).glob("*"))


def _results(data: bytes, source: str) -> None:
    with suppress(ResultProblem):
        metric = Metric(name="seconds", source=source, select="b", unit="")
        figures_there(metric, data, {})
        figure = read_figure(metric, data, {})
        figure.value("median")


def _profiles(data: bytes, choice: str) -> None:
    with suppress(ProfileProblem):
        capture = read_profile(zlib.compress(data) if choice == "stored" else data, Reading(rate_hz=100.0))
        assert stored.encode(stored.decode(stored.encode(capture))) == stored.encode(capture)
        text = folded.write(capture)
        if text:
            folded.read(text, Reading(rate_hz=100.0))


def _counts(data: bytes, choice: str) -> None:
    with suppress(ProfileProblem):
        {"callgrind": read_callgrind, "calls": read_counts}[choice]([data], Names(), 1.0)
    with suppress(ProfileProblem):
        read_allocations([data], Names())


def _scenario(data: bytes, _: str) -> None:
    with suppress(UsageError):
        parse_scenario(data, where="scenario.toml")


def _settings(data: bytes, _: str) -> None:
    with suppress(UsageError):
        parse_settings(data, where="bisector.toml")


def _alerts(data: bytes, source: str) -> None:
    with suppress(AlertProblem):
        read_alert(source, {"x-github-event": "push"}, data, Defaults(source=source, repository="r", scenario="s"))


def _comments(data: bytes, choice: str) -> None:
    with suppress(AlertProblem, Ignored, CommandProblem):
        if choice == "line":
            read_command(data.decode("utf-8", "replace"))
        else:
            read_command(read_comment(data, "bisector").line)


def _signatures(data: bytes, choice: str) -> None:
    """Nothing that is not signed with the secret is let in, whatever its headers say."""
    head, _, body = data.partition(b"\n\n")
    lines = (line.partition(": ") for line in head.decode("latin-1").split("\n"))
    headers = {name.lower(): value for name, _, value in lines}
    scheme = Scheme(choice)
    assert not verified(scheme, ["a long secret that no input holds: 4f1b0c"], headers, body, 1.7e9)
    assert delivery(scheme, headers, body)


def _facts(data: bytes, kind: str) -> None:
    text = data.decode("utf-8", "replace")
    with suppress(StoreError):
        fact = fact_from_text(kind, text)
        assert fact_to_text(fact_from_text(kind_of(fact), fact_to_text(fact))) == fact_to_text(fact)


def _records(data: bytes, kind: str) -> None:
    text = data.decode("utf-8", "replace")
    with suppress(UsageError, StoreError):
        if kind == "request":
            assert request_to_text(request_from_text(text)) == request_to_text(
                request_from_text(request_to_text(request_from_text(text)))
            )
        elif kind == "bundle":
            manifest_from_text(data)
        elif kind == "changes":
            assert changes_to_text(changes_from_text(changes_to_text(changes_from_text(data))))
        else:
            record: Record = record_from_text(kind, text)
            record_to_text(record)


def _packages(data: bytes, path: str) -> None:
    old, _, new = data.partition(b"\0")
    if path == "dpkg":
        debian_versions(data)
        return
    for move in moves_in({path: (old, new)}):
        assert move.old != move.new


def _words(data: bytes, choice: str) -> None:
    text = data.decode("utf-8", "replace")
    readers: Mapping[str, Callable[[str], object]] = {
        "share": parse_share,
        "duration": parse_duration,
        "moment": parse_moment,
        "limit": lambda each: parse_limit(each, upper=True),
        "sha": full_name,
    }
    if choice == "hunks":
        parse_hunks(text)
    elif choice == "matcher":
        with suppress(ValueError):
            read_matcher(text)
    elif choice == "cron":
        try:
            check_cron(text[:100])
        except ValueError:
            return
        next_tick(text[:100], 1.7e9)
        assert ticks_a_year(text[:100]) > 0
    else:
        with suppress(BisectorError):
            readers[choice](text)


_WORDS = ("share", "duration", "moment", "limit", "sha", "hunks", "matcher", "cron")
_RESULTS = tuple(sorted({*TOOLS, *READERS} - {*MEASURED}))
TARGETS: Mapping[str, Target] = {
    "results": Target(read=_results, choices=_RESULTS, seeds={"": ["data/results/*.*"]}),
    "profiles": Target(read=_profiles, choices=("any", "stored"), seeds={"any": ["data/profiles/*"]}),
    "counts": Target(
        read=_counts, choices=("callgrind", "calls"), seeds={"callgrind": ["data/profiles/callgrind.out"]}
    ),
    "scenario": Target(read=_scenario, seeds={"": ["formats/data/*.toml", "../scenarios/*/scenario.toml"]}),
    "settings": Target(read=_settings, seeds={"": ["../deploy/*.toml"]}),
    "alerts": Target(read=_alerts, choices=tuple(SOURCES), seeds={"": ["formats/data/alerts/*.json"]}),
    "comments": Target(read=_comments, choices=("line", "event")),
    "signatures": Target(read=_signatures, choices=tuple(Scheme)),
    "facts": Target(read=_facts, choices=FACTS),
    "records": Target(read=_records, choices=("request", "bundle", "changes", "Night", "Accepted")),
    "packages": Target(read=_packages, choices=("dpkg", *WANTED), seeds={"pyproject.toml": ["../pyproject.toml"]}),
    "words": Target(read=_words, choices=_WORDS),
}
