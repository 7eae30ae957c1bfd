"""The section of a report that says why: suspects, findings, flame graph."""

from collections.abc import Iterator, Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from bisector.core.explain.difference import Basis, difference
from bisector.core.explain.stacks import Capture, Profile, Unit
from bisector.core.model.profiles import ProfilerName
from bisector.report import flamegraph, numbers
from bisector.report.attached import Paragraph, Section
from bisector.report.explanation import Explanation
from bisector.report.markdown import code_in_cell, phrase_text
from bisector.report.phrase import Phrase, pieces, plain, quote
from bisector.report.sentence import explained
from bisector.report.suspects.part import SuspectPart, Why, finding_phrases, suspect_parts, told
from bisector.report.terminal import set_out

MOST_IN_TEXT = 5
"""Suspects that the terminal and Markdown show; the page and the JSON have all of them."""
POORLY_RESOLVED = 0.1
"""Share of the cost in frames without a symbol from which on it is said."""
UNEVEN = 2.0
"""Times the smallest cost that the largest of one side's captures may be before it is said that they disagree."""
IDENTIFIER = "why"
BEFORE, AFTER = "before", "after"
"""What the sides of a job's own profiles are called."""


def sections_of(explanations: Sequence[Explanation], names: Sequence[str] = ()) -> tuple[Section, ...]:
    """A section for every pair of commits that was profiled; where there are several, `names` tell them apart."""
    found = []
    for number, explanation in enumerate(explanations, start=1):
        many = len(explanations) > 1
        why = why_of(explanation)
        identifier = f"{IDENTIFIER}-{number}" if many else IDENTIFIER
        if why is not None:
            subject = names[number - 1] if many and names else f"the change {number}" if many else "it"
            found.append(section_of(why, identifier=identifier, title=_title(why, subject)))
        elif explanation.problems:
            found.append(_unexplained(explanation.problems, identifier=identifier))
    return tuple(found)


def _title(why: Why, subject: str) -> str:
    """What the section answers: where the costs of `subject` went up or down, if they did."""
    if not why.found.differs or why.found.basis is Basis.SHARE:
        return f"Profiles of {subject}" if subject != "it" else "Profiles"
    more = why.found.total.delta >= 0
    if why.found.unit is Unit.BYTES:
        return f"Why {subject} takes {'more' if more else 'less'} memory"
    return f"Why {subject} is {'slower' if more else 'faster'}"


def why_of(explanation: Explanation) -> Why | None:
    """What an explanation holds of two profiles; None where there are no two."""
    before, after, compared = explanation.before, explanation.after, explanation.difference
    if before is None or after is None or compared is None:
        return None
    return Why(
        before=before,
        after=after,
        found=compared,
        shares=difference(before, after, Basis.SHARE),
        suspects=explanation.suspects,
        findings=explanation.findings,
        method=explanation.method,
        problems=explanation.problems,
    )


def _unexplained(problems: Sequence[str], *, identifier: str) -> Section:
    """The section of a job that could not be profiled: why not."""
    told = [Phrase(f"{_problem(problem)}.") for problem in problems]
    return Section(
        identifier=identifier,
        title="Not profiled",
        html=_template().render(headline=told[0], suspects=(), findings=(), notes=told[1:], graph="", memory=False),
        markdown=tuple(f"- {phrase_text(phrase)}" for phrase in told),
        text=tuple(Paragraph(text=plain(phrase), rest="  ") for phrase in told),
    )


def section_of(why: Why, *, identifier: str = IDENTIFIER, title: str = "") -> Section:
    """The section; its page part needs the script and the style sheet of flame graphs."""
    return Section(
        identifier=identifier,
        title=title or _title(why, "it"),
        html=html_of(why, flamegraph.fragment(why.found, why.shares)),
        markdown=tuple(markdown_lines(why)),
        text=tuple(paragraphs(why)),
        flamegraph=True,
    )


def html_of(why: Why, graph: str = "") -> str:
    """Suspects, findings and, where there is one, the graph as a part of a page."""
    return _template().render(
        headline=headline_of(why),
        suspects=suspect_parts(why),
        findings=finding_phrases(why),
        notes=notes_of(why),
        graph=graph,
        memory=why.found.unit is Unit.BYTES,
    )


def headline_of(why: Why) -> Phrase:
    """What the two profiles cost, or that they do not differ."""
    found = why.found
    before, after = (quote(name, 80) for name in (found.before, found.after))
    one, other = told(found, found.total.before), told(found, found.total.after)
    if not found.differs:
        costs = "" if found.basis is Basis.SHARE else f" ({one} and {other})"
        return Phrase(f"The profiles of {before} and {after}{costs} do not differ by more than noise.")
    if found.basis is Basis.SHARE:
        return Phrase(f"The shares of {after} differ from those of {before}.")
    if (found.before, found.after) == (BEFORE, AFTER):
        verb, kind = _measure(why)
        return Phrase(f"After the change a whole run {verb} {other}{kind}, before it {one}.")
    verb = "holds" if found.unit is Unit.BYTES else "costs"
    return Phrase(f"{after} {verb} {other}, {before} {one}.")


def _measure(why: Why) -> tuple[str, str]:
    """What a run does with what was measured, and of what that is."""
    match why.found.unit:
        case Unit.BYTES:
            return "holds", " at its peak"
        case Unit.SECONDS:
            waits = all(each.tool == ProfilerName.PYINSTRUMENT for each in why.after.captures)
            return "takes", " with its waiting" if waits else " of processor time"
        case _:
            return "costs", ""


def notes_of(why: Why) -> tuple[Phrase, ...]:
    """How it was profiled, and what the profilers could not do or see."""
    seen = [note for side in (why.before, why.after) for note in (*_notes(side), *_disagreement(why, side))]
    told = [f"{_problem(text)}." for text in why.problems]
    method = [f"Profiled with {why.method}."] if why.method else []
    return tuple(Phrase(note) for note in (*method, *told, *seen))


def _problem(text: str) -> str:
    """A problem as part of a phrase: what was tried in our words, and what came of it."""
    what, colon, why = text.partition(": ")
    return f"{explained(what)}{colon}{explained(why) if colon else ''}"


def _notes(side: Profile) -> Iterator[str]:
    captures: Sequence[Capture] = side.captures
    name = quote(side.label, 80)
    lost, cut = sum(each.lost for each in captures), sum(each.cut for each in captures)
    unresolved = max((each.unresolved for each in captures), default=0.0)
    if not any(each.total > 0 for each in captures):
        yield f"{name}: the profiler took no samples."
    if lost:
        yield f"{name}: {numbers.count(lost, 'sample')} could not be used."
    if cut:
        yield f"{name}: the middle of {numbers.count(cut, 'stack')} was too deep to keep."
    if unresolved >= POORLY_RESOLVED:
        yield f"{name}: {numbers.percent(unresolved)} of its cost is in functions without a symbol."


def _disagreement(why: Why, side: Profile) -> Iterator[str]:
    """That captures of one side cost very different amounts, which hides what lies between the sides."""
    costs = sorted(each.total / each.work for each in side.captures if each.total > 0)
    if len(costs) > 1 and costs[-1] > UNEVEN * costs[0]:
        least, most = (numbers.quantity(cost, why.found.unit.value) for cost in (costs[0], costs[-1]))
        yield (
            f"{quote(side.label, 80)}: its {len(costs)} captures disagree, {least} to {most} a run: other load on the "
            "host, or runs that differ, hide smaller differences."
        )


def text_lines(why: Why, width: int = 100) -> list[str]:
    """The section for a terminal: plain, harmless lines."""
    return set_out(tuple(paragraphs(why)), width)


def paragraphs(why: Why) -> Iterator[Paragraph]:
    """The same before it is broken into lines."""
    yield Paragraph(text=plain(headline_of(why)))
    for part in suspect_parts(why)[:MOST_IN_TEXT]:
        place = f" ({part.place})" if part.place else ""
        what = f"; {plain(part.what)}" if part.what else ""
        share = f"{numbers.percent(part.share):>7}  "
        yield Paragraph(text=f"{part.function}{place}: {part.cost}{what}", first=share, rest=" " * len(share))
    for phrase in (*finding_phrases(why), *notes_of(why)):
        yield Paragraph(text=plain(phrase), first="- ", rest="  ")


def markdown_lines(why: Why) -> Iterator[str]:
    """The section for an issue or a pull request."""
    yield phrase_text(headline_of(why))
    parts = suspect_parts(why)[:MOST_IN_TEXT]
    if parts:
        yield ""
        yield f"| share | function | {'memory' if why.found.unit is Unit.BYTES else 'cost'} | |"
        yield "|--:|:--|--:|:--|"
    for part in parts:
        what = phrase_text(part.what, in_cell=True)
        yield f"| {numbers.percent(part.share)} | {_function_cell(part)} | {part.cost} | {what} |"
    phrases = (*finding_phrases(why), *notes_of(why))
    if phrases:
        yield ""
        yield from (f"- {phrase_text(phrase)}" for phrase in phrases)


def _function_cell(part: SuspectPart) -> str:
    place = f" {code_in_cell(part.place)}" if part.place else ""
    return f"{code_in_cell(part.function)}{place}"


@cache
def _template() -> Template:
    loader = PackageLoader("bisector.report", "suspects")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(pieces=lambda phrase: list(pieces(phrase)), share=numbers.percent)
    return environment.get_template("section.html.j2")
