"""A benchmark that counts calls of Python functions: the same on every machine, however busy it is."""

from pathlib import Path

_BENCH = """
import json, sys
{prepared}
calls = 0
def add(frame, event, argument):
    global calls
    calls += event == "call"
sys.setprofile(add)
{work}
sys.setprofile(None)
print(json.dumps({{"calls": calls}}))
"""


def counted(at: Path, settings: str, *, prepared: str, work: str) -> Path:
    """A scenario below `at` whose bench.py counts, after the statement `prepared`, the calls of the statement `work`.

    `settings` is all of its scenario.toml but the metric.
    """
    at.mkdir()
    (at / "scenario.toml").write_text(f'{settings}[[metrics]]\nname = "calls"\nexact = true\n')
    (at / "bench.py").write_text(_BENCH.format(prepared=prepared, work=work))
    return at
