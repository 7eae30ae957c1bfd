"""What profilers see of a simulated program: `main` calls `parse` and `render`; what is planted is `parse`'s doing."""

import json

from bisector.core.explain.changes import FileChange, Hunk
from bisector.core.explain.sources import SourceChange

SAMPLES = 900
"""Of a run at level 1."""
RATE = 200
CALLS = 1000
PROGRAM = "/simulated/app.py"
MAIN, PARSE, RENDER = (PROGRAM, 10, "main"), (PROGRAM, 1, "parse"), (PROGRAM, 5, "render")
BEFORE, AFTER = "    return text.split()", "    return [word for word in text.split() if word in text]"
SOURCE = f"def parse(text):\n{AFTER}\n\n\ndef render(words):\n    return words\n"


def speedscope(level: float) -> bytes:
    """A sampled profile of a run at `level`, in seconds, as speedscope has it."""
    parsing, rendering = round(SAMPLES * (level - 0.5)), SAMPLES // 2
    frames = [{"name": name, "file": path, "line": line} for path, line, name in (MAIN, PARSE, RENDER)]
    samples = [[0, 1]] * parsing + [[0, 2]] * rendering
    profile = {"type": "sampled", "name": "main", "unit": "seconds", "startValue": 0, "endValue": len(samples) / RATE}
    profile |= {"samples": samples, "weights": [1 / RATE] * len(samples)}
    return json.dumps({"shared": {"frames": frames}, "profiles": [profile]}).encode()


def calls() -> bytes:
    """The counts of a run, the same at every level: what is planted makes calls slower, not more."""
    told = {"functions": [MAIN, PARSE, RENDER], "calls": [[0, 1], [1, CALLS], [2, CALLS]]}
    return json.dumps({**told, "edges": [[0, 1, CALLS], [0, 2, CALLS]]}).encode()


def memory(level: float) -> bytes:
    """What is held at the peak of a run at `level`, in bytes, as speedscope has it."""
    held = [round(SAMPLES * 1000 * (level - 0.5)), SAMPLES * 500]
    frames = [{"name": name, "file": path, "line": line} for path, line, name in (MAIN, PARSE, RENDER)]
    profile = {"type": "sampled", "name": "memory", "unit": "bytes", "startValue": 0, "endValue": sum(held)}
    profile |= {"samples": [[0, 1], [0, 2]], "weights": held}
    return json.dumps({"shared": {"frames": frames}, "profiles": [profile]}).encode()


def allocations(level: float) -> bytes:
    """What its functions allocate."""
    return json.dumps({**json.loads(calls()), "allocated": [[1, round(100_000 * CALLS * level)]]}).encode()


def changes(*, planted: bool) -> SourceChange:
    """What lies between two trees; `planted` where one has the change and the other has not."""
    hunk = Hunk(start=1, lines=(" def parse(text):", f"-{BEFORE}", f"+{AFTER}", " "), context="")
    files = (FileChange(path="app.py", hunks=(hunk,)),) if planted else ()
    return SourceChange(files=files, sources={"app.py": SOURCE} if planted else {}, packages=())
