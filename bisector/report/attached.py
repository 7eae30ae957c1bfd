"""What is attached to a report: files of the job, and parts that another layer has rendered."""

from dataclasses import dataclass

from bisector.core.model.units import Seconds
from bisector.report.phrase import Phrase


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """A file that belongs to the job. `side` is the end or commit it is of."""

    kind: str
    path: str
    side: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Paragraph:
    """Text for a terminal, to be broken to its width: the first line begins with `first`, the others with `rest`."""

    text: str
    first: str = ""
    rest: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A part of the report that another layer has rendered: profiles, flame graphs, suspects.

    It stands after the culprits. `html` goes into the page as it is, so whoever makes one escapes what strangers wrote;
    the page's policy lets no script run but that of our flame graphs, and that only where a section has one.
    `markdown` are whole lines and `text` paragraphs, just as safe in their formats.
    """

    identifier: str
    title: str
    html: str = ""
    markdown: tuple[str, ...] = ()
    text: tuple[Paragraph, ...] = ()
    flamegraph: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class LogEntry:
    """A step, why it was taken, and what came of it."""

    number: int
    elapsed: Seconds
    what: str
    reason: str
    result: Phrase


@dataclass(frozen=True, kw_only=True, slots=True)
class Advice:
    """What to do next, with the command for it where there is one."""

    text: Phrase
    command: str = ""
