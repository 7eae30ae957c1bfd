"""Ten programs that got slower, each in another way, and the function that is to blame.

Every case is a small package before and after a change; `bench.py` runs it for a good part of a second. `guilty` are
the names of which the prime suspect has to be one: where the change lies in a function and its cost in a new one that
only it calls, both are right.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

WORK = """
def grind(times):
    total = 0
    for number in range(times):
        total += number * number % 7
    return total


def steady():
    return grind(STEADY)
""".replace("STEADY", "1_500_000")


@dataclass(frozen=True, kw_only=True)
class Guilty:
    """A case: the package's file before and after, the functions to blame, and more files."""

    name: str
    before: str
    after: str
    guilty: tuple[str, ...]
    more: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def changed(text: str, old: str, new: str) -> str:
    """`text` with `old`, which it holds, replaced."""
    assert old in text, old
    return text.replace(old, new)


DEEP = """
from app.work import grind


def outer(items):
    return sum(middle(item) for item in items)


def middle(item):
    return inner(item) + 1


def inner(item):
    return deepest(item)


def deepest(item):
    return grind(4_000)


def main():
    outer(range(100))
"""
MORE_CALLS = """
from app.work import grind


def lookup(key):
    return grind(2_000) + key


def render(rows):
    table = lookup(0)
    return [row + table for row in rows]


def main():
    render(range(400))
"""
NEW_CALLER = """
from app.work import grind


def checksum(text):
    return grind(3_000) + len(text)


def save(text):
    return checksum(text)


def load(text):
    return len(text)


def main():
    for number in range(100):
        save("x" * number)
        load("x" * number)
"""
RECURSION = """
from app.work import grind


def walk(depth):
    if depth == 0:
        return grind(500)
    return walk(depth - 1) + walk(depth - 1)


def main():
    walk(9)
"""
GENERATOR = """
from app.work import grind


def numbers(count):
    for number in range(count):
        yield grind(300) + number


def evens(source):
    return (number for number in source if number % 2 == 0)


def main():
    sum(evens(numbers(1_000)))
"""
EXTENSION = """
import zlib

from app.work import grind

DATA = bytes(number * 7919 % 251 for number in range(300_000))


def pack(data):
    return len(zlib.compress(data, 1))


def main():
    for _ in range(8):
        pack(DATA)
"""
IMPORTED = """
from app.work import grind


def total(values):
    return sum(values)


def main():
    total(range(10))
"""
HEAVY = """
from app.work import grind

TABLE = [grind(3_000) for _ in range(300)]
"""
POOL = """
from concurrent.futures import ThreadPoolExecutor

from app.work import grind


def job(number):
    return grind(4_000) + number


def main():
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(job, range(100)))
"""
PROCESS = """
import subprocess
import sys


def run_tool(times):
    subprocess.run([sys.executable, "-m", "app.tool", str(times)], check=True)


def main():
    run_tool(100)
"""
TOOL = """
import sys

from app.work import grind


def convert(times):
    for _ in range(times):
        grind(4_000)


convert(int(sys.argv[1]))
"""
SLOW_CALLEE = """
import hashlib

from app.work import grind


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def index(words):
    return {digest(word): word for word in words}


def main():
    index(str(number) for number in range(20_000))
"""

CASES = (
    Guilty(name="deeper call", before=DEEP, after=changed(DEEP, "grind(4_000)", "grind(12_000)"), guilty=("deepest",)),
    Guilty(
        name="more calls",
        before=MORE_CALLS,
        after=changed(
            MORE_CALLS,
            "    table = lookup(0)\n    return [row + table for row in rows]",
            "    return [row + lookup(0) for row in rows]",
        ),
        guilty=("render", "lookup"),
    ),
    Guilty(
        name="slower callee",
        before=SLOW_CALLEE,
        after=changed(
            SLOW_CALLEE,
            "    return hashlib.sha256(text.encode()).hexdigest()",
            "    return ''.join(f'{byte:02x}' for byte in hashlib.sha256(text.encode()).digest())",
        ),
        guilty=("digest",),
    ),
    Guilty(
        name="new caller",
        before=NEW_CALLER,
        after=changed(NEW_CALLER, "    return len(text)\n\n\ndef main", "    return checksum(text)\n\n\ndef main"),
        guilty=("load",),
    ),
    Guilty(
        name="recursion", before=RECURSION, after=changed(RECURSION, "walk(9)", "walk(11)"), guilty=("main", "walk")
    ),
    Guilty(
        name="generator", before=GENERATOR, after=changed(GENERATOR, "grind(300)", "grind(1_500)"), guilty=("numbers",)
    ),
    Guilty(name="C extension", before=EXTENSION, after=changed(EXTENSION, "(data, 1)", "(data, 9)"), guilty=("pack",)),
    Guilty(
        name="import",
        before=IMPORTED,
        after=changed(IMPORTED, "from app.work import grind", "from app import heavy\nfrom app.work import grind"),
        guilty=("<module>",),
        more={"app/heavy.py": ("", HEAVY)},
    ),
    Guilty(name="thread pool", before=POOL, after=changed(POOL, "grind(4_000)", "grind(16_000)"), guilty=("job",)),
    Guilty(
        name="subprocess",
        before=PROCESS,
        after=PROCESS,
        guilty=("convert",),
        more={"app/tool.py": (TOOL, changed(TOOL, "grind(4_000)", "grind(16_000)"))},
    ),
)
BENCH = """
from app.program import main
from app.work import steady

steady()
main()
"""
SCENARIO = """
name = "guilty"
[build]
image = "python:3.11-slim"
[run]
command = ["python", "{scenario}/bench.py"]
env = {PYTHONPATH = "{source}"}
timeout_seconds = 120
[[metrics]]
name = "wall"
source = "wall"
"""


def files_of(case: Guilty) -> tuple[dict[str, str | bytes], dict[str, str | bytes]]:
    """The files of the repository before and after."""
    sides: list[dict[str, str | bytes]] = []
    for index, program in enumerate((case.before, case.after)):
        both = {name: texts[index] for name, texts in case.more.items()}
        sides.append({"app/__init__.py": "", "app/work.py": WORK, "app/program.py": program, **both})
    return sides[0], sides[1]
