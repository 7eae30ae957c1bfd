"""What a service tells of itself at /metrics: Prometheus' text format and OpenMetrics, as an answer over HTTP."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bisector.formats.results.problem import ResultProblem

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_LABEL = re.compile(rf"\s*({_NAME})\s*=\s*{_QUOTED}\s*(,|(?=\}}))")
_START = re.compile(rf"({_NAME})\s*(\{{)?")
_VALUE = re.compile(r"\s*(\S+)(?:\s+[-+0-9.eE]+)?\s*(?:#.*)?")
LONGEST_LINE = 1 << 14
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")
_ESCAPED = {"n": "\n", '"': '"', "\\": "\\"}
_NUMBERS = {"+Inf": float("inf"), "-Inf": float("-inf"), "Inf": float("inf"), "NaN": float("nan")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """One line of it: a name, labels in the order of their names, and a value, which may be no number."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: float

    @property
    def label_map(self) -> Mapping[str, str]:
        """The labels by their names."""
        return dict(self.labels)


@dataclass(frozen=True, kw_only=True, slots=True)
class Exposition:
    """All of it. `types` are of families as announced: "counter", "gauge", "histogram", …"""

    series: tuple[Series, ...]
    types: Mapping[str, str]

    def named(self, name: str) -> tuple[Series, ...]:
        """The series with this name."""
        return tuple(each for each in self.series if each.name == name)


def answered(answer: bytes, when: str) -> str:
    """The text in an answer over HTTP that was asked for `when`; ResultProblem where there is none."""
    if not answer:
        raise ResultProblem(f"{when} the load the service did not answer where its metrics are asked for")
    head, found, body = answer.partition(b"\r\n\r\n")
    status = _STATUS.match(head)
    if not found or status is None:
        raise ResultProblem(f"{when} the load the service did not answer by HTTP where its metrics are asked for")
    if status[1] != b"200":
        raise ResultProblem(f"{when} the load the service answered with status {status[1].decode()} for its metrics")
    fields = [line.lower().replace(b" ", b"") for line in head.split(b"\r\n")[1:]]
    length = next((int(line[15:]) for line in fields if re.fullmatch(rb"content-length:[0-9]{1,12}", line)), None)
    if length is not None and len(body) < length:
        raise ResultProblem(f"{when} the load the service's answer with its metrics was cut off")
    return (_unchunked(body, when) if b"transfer-encoding:chunked" in fields else body).decode("utf-8", "replace")


def _unchunked(body: bytes, when: str) -> bytes:
    parts: list[bytes] = []
    while found := re.match(rb"([0-9a-fA-F]{1,8})[^\r\n]*\r\n", body):
        size = int(found[1], 16)
        if size == 0:
            return b"".join(parts)
        parts.append(body[found.end() : found.end() + size])
        body = body[found.end() + size + 2 :]
    raise ResultProblem(f"{when} the load the service's answer with its metrics was cut off")


def parse(text: str) -> Exposition:
    """The series in `text`. ResultProblem names the line that is none, or a series that is there twice."""
    types: dict[str, str] = {}
    series: dict[tuple[str, tuple[tuple[str, str], ...]], Series] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.split(None, 3)
        if not words or words[0].startswith("#"):
            if len(words) > 3 and words[:2] == ["#", "TYPE"]:
                types[words[2]] = words[3].strip()
            continue
        found = _series(line.strip()) if len(line) <= LONGEST_LINE else None
        if found is None:
            raise ResultProblem(f"line {number} of the service's metrics cannot be read: {line[:80]!r}")
        if (found.name, found.labels) in series:
            raise ResultProblem(f"line {number} of the service's metrics is there twice: {line[:80]!r}")
        series[found.name, found.labels] = found
    return Exposition(series=tuple(series.values()), types=types)


def selector(text: str) -> tuple[str, Mapping[str, str]] | None:
    """Name and labels in text like `http_requests_total{code="500"}`; None where it is no such text."""
    start = _START.match(text.strip())
    if start is None:
        return None
    rest = text.strip()[start.end() :]
    if not start[2]:
        return None if rest.strip() else (start[1], {})
    found = _labels(rest)
    return None if found is None or found[1].strip() else (start[1], dict(found[0]))


def _series(line: str) -> Series | None:
    start = _START.match(line)
    if start is None:
        return None
    rest, labels = line[start.end() :], tuple[tuple[str, str], ...]()
    if start[2]:
        found = _labels(rest)
        if found is None:
            return None
        labels, rest = found
    value = _VALUE.fullmatch(rest)
    number = None if value is None else _number(value[1])
    return None if number is None else Series(name=start[1], labels=labels, value=number)


def _labels(text: str) -> tuple[tuple[tuple[str, str], ...], str] | None:
    """Labels up to the closing brace, and what is behind it."""
    found = dict(_each_label(text))
    end = sum(match.end() - match.start() for match in _matches(text))
    rest = text[end:].lstrip()
    return (tuple(sorted(found.items())), rest[1:]) if rest.startswith("}") else None


def _matches(text: str) -> Iterator["re.Match[str]"]:
    at = 0
    while match := _LABEL.match(text, at):
        yield match
        at = match.end()
        if match[3] != ",":
            return


def _each_label(text: str) -> Iterator[tuple[str, str]]:
    for match in _matches(text):
        yield match[1], re.sub(r"\\(.)", lambda each: _ESCAPED.get(each[1], each[0]), match[2])


def _number(text: str) -> float | None:
    if text in _NUMBERS:
        return _NUMBERS[text]
    try:
        return float(text)
    except ValueError:
        return None
