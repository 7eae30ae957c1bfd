"""Locust: the array of `--json` and `--json-file`, or the table that `--csv PREFIX` leaves in PREFIX_stats.csv."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bisector.core.model.scenario import Better
from bisector.formats.results.figures import Figure
from bisector.formats.results.problem import ResultProblem
from bisector.formats.results.tree import document, is_number, number, objects, share, table, text_of, wrong

TOOL = "locust"
TOTAL = "Aggregated"
ROUNDED = "Locust rounds times to two digits: percentiles move in steps, the mean does not"
COLUMNS = {"Average Response Time": "mean", "Median Response Time": "median", "Min Response Time": "min"}
COLUMNS |= {"Max Response Time": "max", "75%": "p75", "80%": "p80", "90%": "p90", "95%": "p95", "98%": "p98"}
COLUMNS |= {"99%": "p99", "99.9%": "p99.9"}


def read(text: bytes) -> list[Figure]:
    """Each endpoint's response time, requests a second and share of failures, and those of all together."""
    content = text.decode("utf-8", "replace").lstrip("\ufeff \r\n")
    if content.startswith("Type,Name,"):
        return [figure for row in _csv_rows(content) for figure in _from_row(row)]
    if content.startswith(("Timestamp,", "Method,Name,Error")):
        raise wrong(TOOL, "of the files of --csv, the one whose name ends with _stats.csv is read")
    entries = list(objects(document(text, TOOL), TOOL, "the file"))
    if not entries:
        raise ResultProblem("Locust made no request")
    single = [_Endpoint.of(each) for each in entries]
    return [figure for each in (*single, _Endpoint.together(single)) for figure in each.figures()]


def _csv_rows(content: str) -> Iterator[dict[str, str]]:
    try:
        yield from csv.DictReader(content.split("\n"), strict=True)
    except csv.Error as error:
        raise wrong(TOOL, str(error)) from None


def _from_row(row: Mapping[str, Any]) -> list[Figure]:
    name = f"{row.get('Type') or ''} {row.get('Name') or ''}".strip()
    stated = {
        told: _cell(row, column) / 1000 for column, told in COLUMNS.items() if row.get(column) not in (None, "N/A")
    }
    requests, failures = _cell(row, "Request Count"), _cell(row, "Failure Count")
    also = (str(row["Name"]),) if row.get("Type") and row.get("Name") else ()
    return _figures(name, also, stated, (requests, failures, _cell(row, "Requests/s")))


def _cell(row: Mapping[str, Any], column: str) -> float:
    try:
        return float(row[column])
    except (KeyError, TypeError, ValueError):
        raise wrong(TOOL, f"{column} is {str(row.get(column))[:20]!r} and no number") from None


def _figures(
    name: str, also: tuple[str, ...], stated: Mapping[str, float], counts: tuple[float, float, float]
) -> list[Figure]:
    requests, failures, rate = counts
    part = share(failures, requests)
    told = f"{failures:.0f} of {requests:.0f} requests failed" if requests else "no request was made"
    time = Figure(benchmark=name, quantity="time", unit="s", better=Better.LOWER, stated=stated, note=ROUNDED)
    throughput = Figure(benchmark=name, quantity="rate", unit="1/s", better=Better.HIGHER, values=(rate,))
    failed = Figure(benchmark=name, quantity="failures", better=Better.LOWER, values=(part,), also=also)
    sound = [replace(each, failed=told if part else "", failed_share=part, also=also) for each in (time, throughput)]
    return [*sound, failed]


class _Endpoint:
    """What the JSON says of one endpoint: a histogram of rounded milliseconds, and sums that are exact."""

    def __init__(self, name: str, also: tuple[str, ...], histogram: dict[float, float], sums: dict[str, float]) -> None:
        self.name, self.also, self.histogram, self.sums = name, also, histogram, sums

    @classmethod
    def of(cls, each: dict[str, Any]) -> "_Endpoint":
        path = text_of(each.get("name"), TOOL, "a name")
        name = f"{each.get('method') or ''} {path}".strip()
        keys = ("num_requests", "num_failures", "total_response_time", "start_time", "last_request_timestamp")
        sums = {key: number(each.get(key), TOOL, f"{key} of {name}") for key in keys}
        for key in ("min_response_time", "max_response_time"):
            if is_number(each.get(key)):
                sums[key] = number(each[key], TOOL, key)
        counted = table(each.get("response_times"), TOOL, f"'response_times' of {name}")
        try:
            histogram = {float(key): number(value, TOOL, key) for key, value in counted.items()}
        except ValueError:
            raise wrong(TOOL, f"'response_times' of {name} is no histogram") from None
        return cls(name, (path,) if path != name else (), histogram, sums)

    @classmethod
    def together(cls, single: list["_Endpoint"]) -> "_Endpoint":
        histogram: dict[float, float] = {}
        for each in single:
            for key, count in each.histogram.items():
                histogram[key] = histogram.get(key, 0.0) + count
        ways = {"start_time": min, "last_request_timestamp": max, "min_response_time": min, "max_response_time": max}
        sums = {
            key: ways.get(key, sum)(each.sums[key] for each in single if key in each.sums) for key in single[0].sums
        }
        return cls(TOTAL, (), histogram, sums)

    def figures(self) -> list[Figure]:
        sums, requests = self.sums, self.sums["num_requests"]
        length = sums["last_request_timestamp"] - sums["start_time"]
        stated = {f"p{p:g}": self._percentile(p) for p in (75, 80, 90, 95, 98, 99, 99.9)} if self.histogram else {}
        if self.histogram:
            stated["median"] = self._percentile(50)
        if requests:
            stated["mean"] = sums["total_response_time"] / requests / 1000
        extremes = {"min": "min_response_time", "max": "max_response_time"}
        stated |= {told: sums[key] / 1000 for told, key in extremes.items() if key in sums}
        rate = requests / length if length > 0 else 0.0
        return _figures(self.name, self.also, stated, (requests, sums["num_failures"], rate))

    def _percentile(self, percent: float) -> float:
        """The smallest time that so many in a hundred requests did not exceed, in seconds."""
        wanted = sum(self.histogram.values()) * percent / 100
        for key in sorted(self.histogram):
            wanted -= self.histogram[key]
            if wanted <= 1e-9:
                return key / 1000
        return max(self.histogram) / 1000
