"""`bisector scenario new` at a terminal, without a name: questions, and a scenario made of the answers."""

import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bisector.core.model.scenario import Better
from bisector.errors import BisectorError, UsageError

if TYPE_CHECKING:
    from bisector.formats.answers import Answers, Beside, Reading

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
READINGS: Mapping[str, str] = {
    "time": "how long it takes (wall time)",
    "cpu": "the processor time that it uses",
    "memory": "the most memory that it has",
    "number": "a number that it prints on its last line",
    "json": "a key of a JSON object that it prints on its last line",
    "pattern": "numbers in its output, found by a regular expression",
    "count": "how often a regular expression matches in its output",
    "tool": "the file of a benchmark or load tool",
}


def ask(here: Path) -> "Answers":
    """Ask everything that a scenario needs, about the checkout in `here`; click.Abort when somebody leaves."""
    from bisector.formats.answers import Answers

    click.echo("A scenario says what is built and run at each commit, and what is read of it. Ctrl-C leaves.\n")
    name = _text("What is it called?", _checked(NAME.fullmatch, "small letters, digits, dots and dashes"), _usual(here))
    command = _words("Which command is run? ({source} is the checkout, {scenario} the scenario's directory)")
    steps, image = _building(here)
    service = _service() if click.confirm("Does it put load on a service that has to be started beside it?") else None
    reading = _reading()
    return Answers(name=name, command=command, image=image, steps=steps, reading=reading, service=service)


def write(answers: "Answers", directory: Path) -> Path:
    """Write it below `directory`; the file. UsageError where there is one already, ScenarioError for a mistake."""
    from bisector.formats.answers import written
    from bisector.formats.scenario import parse_scenario

    text = written(answers)
    parse_scenario(text.encode(), where=answers.name)
    path = directory / answers.name / "scenario.toml"
    if path.exists():
        raise UsageError("there is such a scenario already", where=str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _usual(here: Path) -> str:
    name = re.sub(r"[^a-z0-9._-]+", "-", here.name.lower()).strip("-._")
    return name if NAME.fullmatch(name) else "benchmark"


def _checked(check: Callable[[str], object], wanted: str) -> Callable[[str], str]:
    """Text for which `check` holds; else it is said what is `wanted`, and asked again."""

    def convert(text: str) -> str:
        if not check(text.strip()):
            raise click.BadParameter(f"wanted: {wanted}")
        return text.strip()

    return convert


def _text(question: str, convert: Callable[[str], str], default: str | None = None) -> str:
    found: str = click.prompt(question, default=default, value_proc=convert)
    return found


def _words(question: str) -> tuple[str, ...]:
    """A command as words; quotes are the shell's, and no shell is there to do more."""

    def convert(text: str) -> str:
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise click.BadParameter(f"{error}".lower()) from None
        if not words:
            raise click.BadParameter("wanted: a command")
        if {"|", ">", "<", "&&", ";"} & set(words):
            raise click.BadParameter("no shell runs it: write sh -c '...'")
        return text

    return tuple(shlex.split(_text(question, convert)))


def _building(here: Path) -> tuple[tuple[str, ...], str]:
    from bisector.formats.answers import GUESSES

    guess = next((guess for file, guess in GUESSES.items() if (here / file).is_file()), None)
    steps: list[str] = []
    question, usual = "How is it built? A shell line, or - for nothing", guess.step if guess else "-"
    while (line := str(click.prompt(question, default=usual)).strip()) not in ("", "-"):
        steps.append(line)
        question, usual = "And then? A shell line, or - for no more", "-"
    image = click.prompt("On which image, with Docker? (- for none)", default=guess.image if guess else "-").strip()
    return tuple(steps), "" if image == "-" else image


def _service() -> "Beside":
    from bisector.formats.answers import Beside

    while True:
        command = _words("Which command starts the service, in the foreground? ({port} is a free port)")
        if any("{port}" in word for word in command):
            break
        click.echo("Error: {port} stands nowhere in it: the service has to be told its port")
    path = click.prompt("Which path answers once it is ready? (- when its port alone tells)", default="-").strip()
    return Beside(command=command, health="" if path == "-" else f"http://127.0.0.1:{{port}}/{path.lstrip('/')}")


def _reading() -> "Reading":
    from bisector.formats.answers import Reading

    click.echo("\nWhat is read of a run?")
    for kind, what in READINGS.items():
        click.echo(f"  {kind:<8} {what}")
    kind = click.prompt("Which?", type=click.Choice(list(READINGS)), default="time", show_choices=False)
    match kind:
        case "time":
            return Reading(name="wall", source="wall")
        case "cpu":
            return Reading(name="cpu", source="cpu")
        case "memory":
            return Reading(name="peak", source="peak_memory")
        case "tool":
            return _of_tool()
        case _:
            return _of_output(kind)


def _of_tool() -> "Reading":
    from bisector.formats.answers import Reading
    from bisector.formats.results.tools import TOOLS

    tool = click.prompt("Which tool?", type=click.Choice(list(TOOLS)))
    file = click.prompt("Which file below {out} does it write? (- when it prints its results)", default="-").strip()
    which = click.prompt("Which benchmark in it? (- for the only one)", default="-").strip()
    from bisector.formats.results import meaning

    select, file = ("" if text == "-" else text for text in (which, file))
    return Reading(name="result", source=tool, select=select, file=file, better=meaning(tool, select)[1])


def _of_output(kind: str) -> "Reading":
    from bisector.formats.answers import Reading
    from bisector.formats.results import is_known_source

    source, select = kind, ""
    if kind == "json":
        select = _text("Which key? (a dotted path goes deeper)", _checked(bool, "a key"), "seconds")
    elif kind == "pattern":
        wanted = "a regular expression with one group, around the number"
        source = "regex:" + _text("Which expression?", _checked(lambda text: is_known_source(f"regex:{text}"), wanted))
    elif kind == "count":
        wanted = "a regular expression"
        source = "count:" + _text("Which expression?", _checked(lambda text: is_known_source(f"count:{text}"), wanted))
    name = _text("What is the value called?", _checked(bool, "a name"), select.rsplit(".", 1)[-1] or "value")
    unit = click.prompt(
        "In which unit? (s, B, 1/s, ..., - for none)", default="s" if name == "seconds" else "-"
    ).strip()
    better = click.prompt("Which is better?", type=click.Choice([each.value for each in Better]), default="lower")
    # A key that is the metric's name need not be selected.
    return Reading(
        name=name,
        source=source,
        select="" if select == name else select,
        unit="" if unit == "-" else unit,
        better=Better(better),
    )


def run(directory: Path, here: Path) -> Path:
    """Ask until the answers make a scenario, and write it."""
    while True:
        answers = ask(here)
        try:
            return write(answers, directory)
        except BisectorError as error:
            click.echo(f"\nError: {error}\nOnce more:\n", err=True)
