"""The final text of a job on a terminal. Plain strings; whoever prints them may ask for a style."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bisector.report.attached import Paragraph
from bisector.report.document import Report
from bisector.report.headline import reasons_told, untestable_summary
from bisector.report.phrase import plain
from bisector.report.text import columns, harmless
from bisector.report.wrapping import wrapped


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """What is put around words of each role; nothing by default."""

    strong: tuple[str, str] = ("", "")
    soft: tuple[str, str] = ("", "")
    old: tuple[str, str] = ("", "")
    new: tuple[str, str] = ("", "")


PLAIN = Style()
ANSI = Style(
    strong=("\x1b[1m", "\x1b[0m"), soft=("\x1b[2m", "\x1b[0m"), old=("\x1b[34m", "\x1b[0m"), new=("\x1b[33m", "\x1b[0m")
)
"""Colours of the terminal's own palette, so that they suit its ground."""


NARROW = 30
"""Columns beside a value below which its grounds stand under it."""


def styled(text: str, role: tuple[str, str]) -> str:
    """`text` in a role."""
    return f"{role[0]}{text}{role[1]}" if text else ""


def render_terminal(report: Report, *, width: int = 80, style: Style = PLAIN, path: str = "") -> str:
    """Sentence, evidence, what could not be tested, and where the whole report lies (`path`, "" for nowhere)."""
    blocks = [
        [styled(line, style.strong) for line in wrapped(plain(report.sentence), width)],
        list(_evidence(report, width, style)),
        [
            *wrapped(untestable_summary(report), width),
            *(line for each in reasons_told(report) for line in wrapped(plain(each), width, first="  ", rest="    ")),
        ],
        [line for note in report.notes for line in wrapped(plain(note), width, first="Note: ", rest="      ")],
        *(
            [styled(section.title, style.strong), *set_out(section.text, width)]
            for section in report.sections
            if section.text
        ),
        [
            line
            for other in report.others
            for line in wrapped(f"{other.metric.name}: {plain(other.phrase)}", width, rest="  ")
        ],
        list(_advice(report, width)),
        ["Reproduce:", f"  {report.reproduce}"],
        [f"Report: {harmless(path)}"] if path else [],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _evidence(report: Report, width: int, style: Style) -> Iterator[str]:
    labels = max((columns(row.label) for row in report.evidence), default=0)
    values = max((columns(plain(row.value)) for row in report.evidence), default=0)
    indent = labels + values + 4
    for row in report.evidence:
        value = plain(row.value)
        head = f"{row.label}{' ' * (labels - columns(row.label))}  "
        shown = f"{' ' * (values - columns(value))}{styled(value, style.strong)}"
        if width - indent < NARROW:
            yield f"{head}{shown}"
            yield from (styled(line, style.soft) for line in wrapped(plain(row.grounds), width, first="  ", rest="  "))
            continue
        first, *rest = wrapped(plain(row.grounds), width - indent) or [""]
        yield f"{head}{shown}  {styled(first, style.soft)}".rstrip()
        yield from (f"{' ' * indent}{styled(line, style.soft)}" for line in rest)


def _advice(report: Report, width: int) -> Iterator[str]:
    for item in report.advice:
        yield from wrapped(f"{plain(item.text)}{':' if item.command else '.'}", width)
        if item.command:
            yield f"  {item.command}"


def set_out(paragraphs: Iterable[Paragraph], width: int) -> list[str]:
    """Paragraphs in lines of at most `width` columns."""
    return [line for each in paragraphs for line in wrapped(each.text, width, first=each.first, rest=each.rest)]
