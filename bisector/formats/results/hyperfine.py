"""hyperfine, as `--export-json` writes it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bisector.core.model.scenario import Better
from bisector.formats.results.figures import Figure
from bisector.formats.results.tree import document, number, numbers, objects, share, table, text_of, wrong

TOOL = "hyperfine"
STATED = ("mean", "median", "min", "max")


def read(text: bytes) -> list[Figure]:
    """Each command's wall time, and its user and system time, of which the tool keeps means alone."""
    found = table(document(text, TOOL), TOOL, "the file")
    if "results" not in found:
        raise wrong(TOOL, "it has no 'results'")
    results = list(objects(found["results"], TOOL, "results"))
    names = [text_of(each.get("command"), TOOL, "a command") for each in results]
    return [
        figure
        for each, name in zip(results, names, strict=True)
        for figure in _figures(each, _own_name(each, name, names), name)
    ]


def _own_name(each: dict[str, Any], name: str, names: list[str]) -> str:
    """The command or its name, with its parameters where several would be called alike."""
    if names.count(name) == 1 or not isinstance(each.get("parameters"), dict):
        return name
    return f"{name} ({', '.join(f'{key}={value}' for key, value in each['parameters'].items())})"


def _figures(each: dict[str, Any], name: str, also: str) -> list[Figure]:
    listed = each.get("exit_codes")
    # A run that a signal ended has null for its code.
    codes = listed if isinstance(listed, list) else []
    bad = [code for code in codes if code != 0]
    told = f"{len(bad)} of {len(codes)} runs of the command did not end with 0" if bad else ""
    names = () if name == also else (also,)
    return [
        replace(figure, failed=told, failed_share=share(len(bad), len(codes)), also=names)
        for figure in _quantities(each, name)
    ]


def _quantities(each: dict[str, Any], name: str) -> Iterator[Figure]:
    yield Figure(
        benchmark=name,
        quantity="time",
        unit="s",
        better=Better.LOWER,
        values=numbers(each["times"], TOOL, f"'times' of {name}") if "times" in each else (),
        stated={key: number(each[key], TOOL, key) for key in STATED if each.get(key) is not None},
    )
    for key in ("user", "system"):
        if each.get(key) is not None:
            mean = number(each[key], TOOL, key)
            yield Figure(benchmark=name, quantity=key, unit="s", better=Better.LOWER, stated={"mean": mean})
    if isinstance(each.get("memory_usage_byte"), list):
        sizes = numbers(each["memory_usage_byte"], TOOL, "memory_usage_byte")
        yield Figure(benchmark=name, quantity="memory", unit="B", better=Better.LOWER, values=sizes)
