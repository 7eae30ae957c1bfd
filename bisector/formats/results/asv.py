"""asv: the file of one commit and environment in its results directory, format 2."""

from collections.abc import Iterator, Sequence
from itertools import product
from math import isnan
from typing import Any

from bisector.core.model.scenario import Better
from bisector.formats.results.figures import Figure
from bisector.formats.results.tree import document, number, numbers, rows, table, wrong

TOOL = "asv"
VERSION = 2
KINDS = {"time": ("time", "s"), "timeraw": ("time", "s"), "mem": ("memory", "B"), "peakmem": ("peak_memory", "B")}
MOST_PARAMETERS = 100_000


def read(text: bytes) -> list[Figure]:
    """Each benchmark with its parameters. Its samples are inner values where `--record-samples` kept them."""
    found = table(document(text, TOOL), TOOL, "the file")
    if "results" not in found:
        raise wrong(TOOL, "it has no 'results'")
    if found.get("version") != VERSION:
        raise wrong(TOOL, f"its format is version {str(found.get('version'))[:20]}, {VERSION} can be read")
    columns = [str(name) for name in rows(found.get("result_columns"), TOOL, "'result_columns'")]
    results = table(found["results"], TOOL, "'results'")
    return [figure for name, row in results.items() for figure in _figures(name, rows(row, TOOL, name), columns)]


def _figures(name: str, row: Sequence[Any], columns: Sequence[str]) -> Iterator[Figure]:
    cells = dict(zip(columns, row, strict=False))
    names = _parameter_sets(name, cells.get("params") or [])
    results, samples = cells.get("result"), cells.get("samples")
    for place, called in enumerate(names):
        value = _at(results, place)
        inner = _at(samples, place)
        yield _figure(called, name, value, inner)


def _parameter_sets(name: str, parameters: Any) -> list[str]:
    lists = [[str(each) for each in rows(values, TOOL, "a parameter")] for values in rows(parameters, TOOL, "params")]
    count = 1
    for values in lists:
        count *= len(values)
    if count > MOST_PARAMETERS:
        raise wrong(TOOL, f"{name} has {count} sets of parameters")
    return [f"{name}({', '.join(each)})" for each in product(*lists)] if lists else [name]


def _at(cells: Any, place: int) -> Any:
    return cells[place] if isinstance(cells, list) and place < len(cells) else None


def _figure(called: str, name: str, value: Any, inner: Any) -> Figure:
    kind = name.rsplit(".", 1)[-1].split("_", 1)[0]
    quantity, unit = KINDS.get(kind, ("value", ""))
    better = Better.LOWER if kind in KINDS else None
    failed, stated = "", {}
    if value is None:
        failed = "it failed or was skipped"
    elif isnan(number(value, TOOL, name)):
        failed = "it was skipped"
    else:
        stated = {"median": number(value, TOOL, name)}
    values = numbers(inner, TOOL, f"samples of {name}") if isinstance(inner, list) and not failed else ()
    if kind not in KINDS and stated:
        values = values or (stated["median"],)
    return Figure(
        benchmark=called, quantity=quantity, unit=unit, better=better, values=values, stated=stated, failed=failed
    )
