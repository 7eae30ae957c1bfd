"""speedscope's own format, as speedscope, py-spy and pyinstrument write it. https://www.speedscope.app/file-format-schema.json"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from bisector.core.explain.stacks import ROOT, Capture, Profile, Unit
from bisector.formats.profiles.gathering import MEASURED_IN, Gathering, Reading
from bisector.formats.profiles.problem import ProfileProblem

SCHEMA = "https://www.speedscope.app/file-format-schema.json"
UNITS = {**MEASURED_IN, "none": (Unit.SAMPLES, 1.0)}
_NAMES = {Unit.SECONDS: "seconds", Unit.BYTES: "bytes", Unit.SAMPLES: "none"}
Stack = tuple[int, ...]


def read(data: Mapping[str, Any], reading: Reading) -> Capture:
    """The capture in a parsed file, all its threads together; ProfileProblem says what is wrong with it."""
    try:
        frames = [_frame(frame) for frame in data["shared"]["frames"]]
        profiles = [profile for profile in data["profiles"] if _READERS.get(profile["type"])]
        units = {UNITS[profile["unit"]] for profile in profiles}
        if len(units) != 1:
            raise ProfileProblem("its profiles have different units" if units else "there are no profiles in it")
        (unit, scale) = units.pop()
        gathering, samples = Gathering(reading), 0
        numbers = [gathering.frame(*frame) for frame in frames]
        for profile in profiles:
            stacks: dict[Stack, float] = {}
            known = stacks.get
            for stack, weight in _READERS[profile["type"]](profile):
                stacks[stack] = known(stack, 0.0) + weight
                samples += stack != ()
            for stack, weight in stacks.items():
                if min(stack, default=0) < 0:
                    raise ProfileProblem("a sample points to a frame below 0")
                gathering.add([numbers[frame] for frame in stack], weight)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise ProfileProblem(f"it is not as speedscope's schema says: {type(error).__name__}: {error}") from None
    # Entries of a list of sizes are no samples: each is known exactly.
    sampled = unit is not Unit.BYTES and all(profile["type"] == "sampled" for profile in profiles)
    if unit is Unit.SAMPLES:
        return gathering.counted("speedscope")
    return gathering.capture("speedscope", unit, samples=samples if sampled else None, scale=scale)


def _frame(frame: Mapping[str, Any]) -> tuple[str, str, int]:
    line = frame.get("line")
    return str(frame["name"]), str(frame.get("file") or ""), int(line) if isinstance(line, int | float) else 0


def _sampled(profile: Mapping[str, Any]) -> Iterable[tuple[Stack, float]]:
    samples, weights = profile["samples"], profile.get("weights")
    return zip(map(tuple, samples), map(float, [1.0] * len(samples) if weights is None else weights), strict=True)


def _evented(profile: Mapping[str, Any]) -> Iterator[tuple[Stack, float]]:
    """The stacks between one opening or closing of a call and the next."""
    stack: list[int] = []
    last = float(profile["startValue"])
    for event in profile["events"]:
        now = float(event["at"])
        if stack and now > last:
            yield tuple(stack), now - last
        last = now
        if event["type"] == "O":
            stack.append(event["frame"])
        elif not stack or stack.pop() != event["frame"]:
            raise ProfileProblem("its calls do not close in the order in which they open")


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Iterable[tuple[Stack, float]]]] = {
    "sampled": _sampled,
    "evented": _evented,
}


def write(profile: Profile) -> str:
    """The file of a side, one profile a capture, to be looked at in speedscope and read back by `read`."""
    numbers: dict[tuple[str, str, int], int] = {}
    profiles = [_profile(profile.label, index, capture, numbers) for index, capture in enumerate(profile.captures)]
    frames = [
        {"name": name, **({"file": path} if path else {}), **({"line": line} if line else {})}
        for name, path, line in numbers
    ]
    document = {
        "$schema": SCHEMA,
        "name": profile.label,
        "exporter": "bisector",
        "activeProfileIndex": 0,
        "shared": {"frames": frames},
        "profiles": profiles,
    }
    return json.dumps(document, separators=(",", ":"), allow_nan=False)


def _profile(label: str, index: int, capture: Capture, numbers: dict[tuple[str, str, int], int]) -> dict[str, Any]:
    of = [numbers.setdefault((f.name, f.file or f.module, f.line), len(numbers)) for f in capture.frames]
    weights = {node: weight for node, weight in enumerate(capture.weights.tolist()) if weight}
    return {
        "type": "sampled",
        "name": f"{label}, capture {index + 1}",
        "unit": _NAMES[capture.unit],
        "startValue": 0,
        "endValue": capture.total,
        "samples": [_stack(capture, node, of) for node in weights],
        "weights": list(weights.values()),
    }


def _stack(capture: Capture, node: int, numbers: Sequence[int]) -> list[int]:
    stack = []
    while node != ROOT:
        stack.append(numbers[capture.tree.frame[node]])
        node = int(capture.tree.parent[node])
    return stack[::-1]
