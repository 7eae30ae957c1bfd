"""The work of `bisector diff`: files of any tool in, documents out."""

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from bisector.core.explain.difference import Basis, difference
from bisector.core.explain.findings import findings_of
from bisector.core.explain.names import Names, in_one_place
from bisector.core.explain.stacks import Capture, Profile
from bisector.core.explain.suspects import suspects_of
from bisector.errors import UsageError
from bisector.formats.profiles import folded, read_profile, speedscope
from bisector.formats.profiles.gathering import Reading
from bisector.formats.profiles.problem import ProfileProblem
from bisector.report import flamegraph
from bisector.report.suspects import alone
from bisector.report.suspects.part import Why

LARGEST = 2 << 30
"""Bytes of a file that are read."""


def differ(before: str, after: str, options: dict[str, Any]) -> int:
    """Compare the profiles at two paths and write what the command's options ask for; the exit code."""
    if any(value is not None and not 0 < value < float("inf") for value in (options["rate"], *options["work"])):
        raise UsageError("--rate and --work have to be above zero")
    names = Names(roots=tuple(str(Path(source).absolute()) for source in options["sources"]))
    readings = [Reading(names=names, rate_hz=options["rate"], work=work) for work in options["work"]]
    sides = [_side(path, reading) for path, reading in zip((before, after), readings, strict=True)]
    if sides[0].label == sides[1].label:
        sides = [replace(side, label=path) for side, path in zip(sides, (before, after), strict=True)]
    one, other = in_one_place(sides[0], sides[1])
    return _hand_over(_why(one, other, Basis.SHARE if options["share"] else Basis.WORK), options)


def _side(path: str, reading: Reading) -> Profile:
    """The profile in a file, or in all files of a directory."""
    place = Path(path)
    try:
        files = sorted(each for each in place.iterdir() if each.is_file()) if place.is_dir() else [place]
    except OSError as error:
        raise UsageError(f"{error.strerror}", where=path) from None
    if not files:
        raise UsageError("there is no profile in the directory", where=path)
    profile = Profile(label=place.name or path, captures=tuple(_capture(file, reading) for file in files))
    if len({capture.unit for capture in profile.captures}) > 1:
        raise UsageError("its profiles have different units", where=path, then="Keep those of one tool")
    return profile


def _capture(path: Path, reading: Reading) -> Capture:
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"the file is larger than {LARGEST >> 30} GiB", where=str(path))
        return read_profile(path.read_bytes(), reading)
    except OSError as error:
        raise UsageError(f"the file cannot be read: {error.strerror}", where=str(path)) from None
    except ProfileProblem as problem:
        known = "It reads py-spy, pyinstrument, perf script, pprof, speedscope and folded files"
        raise UsageError(f"this is no profile: {problem}", where=str(path), then=known) from None


def _why(before: Profile, after: Profile, basis: Basis) -> Why:
    try:
        found = difference(before, after, basis)
    except ValueError as error:
        raise UsageError(str(error), then="Add --share, or --rate where one of them holds counts") from None
    return Why(
        before=before,
        after=after,
        found=found,
        shares=difference(before, after, Basis.SHARE),
        suspects=suspects_of(found),
        findings=findings_of(found),
    )


def _hand_over(why: Why, options: dict[str, Any]) -> int:
    """Write what was asked for; the table goes to the terminal unless standard output is taken."""
    documents = {"html": alone.page_of, "svg": lambda each: flamegraph.still(each.found), "json": alone.json_of}
    documents["markdown"] = alone.markdown_of
    targets = {kind: options[kind] for kind in documents if options[kind] is not None}
    if list(targets.values()).count("-") > 1:
        raise UsageError("only one document can go to standard output")
    for kind, target in targets.items():
        _write(target, documents[kind](why))
    if options["convert"] is not None:
        _convert(why, Path(options["convert"]))
    to_terminal = "-" not in targets.values()
    width = min(shutil.get_terminal_size().columns, 110) if sys.stdout.isatty() else 100
    click.echo(alone.text_of(why, width), err=not to_terminal, nl=False)
    return 0


def _convert(why: Why, directory: Path) -> None:
    """Both sides in the formats of other viewers, a folded file a capture."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, side in (("before", why.before), ("after", why.after)):
        _write(str(directory / f"{name}.speedscope.json"), speedscope.write(side))
        for number, capture in enumerate(side.captures, start=1):
            _write(str(directory / f"{name}-{number}.folded.txt"), folded.write(capture))


def _write(target: str, text: str) -> None:
    if target == "-":
        click.echo(text, nl=False)
        return
    path = Path(target)
    whole = path.with_name(f".{path.name}.{os.getpid()}.new")
    whole.write_text(text, encoding="utf-8", errors="backslashreplace")
    whole.replace(path)
