"""`bisector scenario new --from TOOL PATH`: a scenario for the benchmark that is there."""

import re
import shutil
from pathlib import Path

import click

from bisector.errors import UsageError
from bisector.formats.scenario import parse_scenario
from bisector.formats.starts import Source, start_from

CONFIGURATION = {"asv": "asv.conf.json", "locust": "locustfile.py"}
"""What is meant by a directory."""
LARGEST = 16 << 20


def import_scenario(tool: str, path: Path, name: str | None, directory: Path) -> None:
    """Write the scenario and what belongs beside it, and say what is left to do."""
    file = path / CONFIGURATION[tool] if path.is_dir() and tool in CONFIGURATION else path
    if not file.is_file():
        raise UsageError("there is no such file", where=str(file), then=f"Name the file that {tool} runs")
    if file.stat().st_size > LARGEST:
        raise UsageError("it is over 16 MiB", where=str(file), then=f"Name the file that {tool} runs")
    called = name or _name_of(file, tool)
    source = Source(
        name=file.name,
        text=file.read_text(errors="replace"),
        installable=_is_installable(file),
        beside=_beside(file),
    )
    start = start_from(tool, source, called)
    parse_scenario(start.text.encode(), where=str(file))
    made = directory / called
    if (made / "scenario.toml").exists():
        raise UsageError(
            "there is such a scenario already", where=str(made / "scenario.toml"), then="Give another NAME"
        )
    made.mkdir(parents=True, exist_ok=True)
    large = [relative for relative in start.copies if _size(file.parent / relative) > LARGEST]
    for relative in start.copies:
        if relative not in large:
            _copy(file.parent / relative, made / relative)
    for relative, text in {**start.files, "scenario.toml": start.text}.items():
        (made / relative).write_text(text)
    click.echo("\n".join(str(each) for each in sorted(made.rglob("*")) if each.is_file()))
    for line in (*(f"{each} is over 16 MiB and was not copied" for each in large), *start.left):
        click.echo(f"To do: {line}")
    click.echo(f"Try it: bisector scenario check {called if directory == Path('scenarios') else made}")


def _name_of(file: Path, tool: str) -> str:
    """A scenario's name from a file's: "test_parse.py" as "parse"."""
    stem = file.parent.resolve().name if file.name in CONFIGURATION.values() else file.stem
    plain = re.sub(r"[^a-z0-9._-]+", "-", re.sub(r"^(test|bench)_", "", stem.lower())).strip("-._")
    return plain or tool


def _is_installable(file: Path) -> bool:
    """Whether the directory that holds the repository of `file` can be installed with pip."""
    above = [each for each in file.resolve().parents if (each / ".git").exists()]
    return bool(above) and any((above[0] / name).exists() for name in ("pyproject.toml", "setup.py"))


def _beside(file: Path) -> tuple[str, ...]:
    """What lies beside `file`. At the top of a repository that is the program itself, which is each commit's own."""
    if (file.resolve().parent / ".git").exists():
        return ()
    return tuple(sorted(each.name for each in file.parent.iterdir() if not each.is_symlink()))


def _size(path: Path) -> int:
    parts = path.rglob("*") if path.is_dir() else [path]
    return sum(each.stat().st_size for each in parts if each.is_file())


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    elif source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
