"""Programs with a known guilty function: what a culprit changes in them, and who is to be named.

Every program also does work that did not change (`background`), and every culprit edits lines there and in `main` as
well, without any effect: to be touched, or to be what all runs under, is not enough to be guilty.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Files = Mapping[str, str]

COMMON = '''"""Work that stays the same."""


def background(rounds):
    total = 0
    for number in range(rounds):
        total += mix(number)
    return total


def mix(number):
    value = number
    for _ in range(20):
        value = (value * 31 + 7) % 1000003
    return value
'''
COMMON_EDITED = COMMON.replace("total = 0", "total = 0  # nothing yet").replace("value = number\n", "value = +number\n")


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A parent and a culprit that differ in one function's cost. `guilty` and `file` are that function.

    `steps` build it, `native` has py-spy look into C, and `command` runs it.
    """

    before: Files
    after: Files
    guilty: str
    file: str
    steps: tuple[str, ...] = ()
    native: bool = False
    command: tuple[str, ...] = ("python3", "{source}/app/run.py")
    environment: Mapping[str, str] = field(default_factory=dict)

    def scenario(self, rate_hz: int = 500) -> str:
        """The scenario file that runs it."""
        steps = ", ".join(f"'''{step}'''" for step in self.steps)
        command = ", ".join(f"'''{word}'''" for word in self.command)
        return f"""
name = "planted"
[build]
steps = [{steps}]
[run]
command = [{command}]
timeout_seconds = 60
[[metrics]]
name = "cpu"
source = "cpu"
[profile]
rate_hz = {rate_hz}
native = {str(self.native).lower()}
"""


def python(guilty: str, before: Files, after: Files, **more: str) -> Planted:
    """A Python program below app/ with the common work beside it; what `after` does not name stays as it is."""
    old = {f"app/{name}": text for name, text in before.items()} | {"app/common.py": COMMON}
    new = old | {f"app/{name}": text for name, text in after.items()} | {"app/common.py": COMMON_EDITED}
    new["app/run.py"] = new["app/run.py"].replace("background(40000)", "background(rounds=40000)")
    return Planted(before=old, after=new, guilty=guilty, file=f"app/{more.get('file', 'work.py')}")


def running(body: str) -> str:
    """run.py, which does the common work and then `body`."""
    lines = "\n    ".join(body.strip().splitlines())
    return f"""from common import background
import work


def main():
    background(40000)
    {lines}


main()
"""


TABLE = '"""Rows."""\n\n\ndef clean(word):\n    return word.strip().replace("a", "b").title()\n\n\n'

DEEPER = python(
    "fold",
    {
        "run.py": running("for i in range(30000):\n    work.normalise(' word %d ' % i)"),
        "work.py": TABLE + "def normalise(word):\n    return clean(word)\n",
    },
    {
        "work.py": TABLE
        + "def fold(word):\n    return ''.join(chr(ord(c) ^ 0) for c in word if c != '-')\n\n\n"
        + "def composed(word):\n    return fold(word)\n\n\n"
        + "def normalise(word):\n    return clean(composed(word))\n"
    },
)
MORE_CALLS = python(
    "render",
    {
        "run.py": running("for i in range(6000):\n    work.render([' one ', ' two ', ' three ', ' four '])"),
        "work.py": TABLE + "def render(row):\n    return [clean(cell) for cell in row]\n",
    },
    {
        "work.py": TABLE
        + "def render(row):\n    widths = [max(len(clean(cell)) for cell in row) for _ in row]\n"
        + "    return [clean(cell).ljust(width) for cell, width in zip(row, widths)]\n"
    },
)
SLOWER_CALLEE = python(
    "checksum",
    {
        "run.py": running("for i in range(3000):\n    work.pack(b'x' * 200)"),
        "work.py": "def checksum(data):\n    return sum(data) % 65521\n\n\n"
        "def pack(data):\n    return data + bytes([checksum(data) % 256])\n",
    },
    {
        "work.py": "def checksum(data):\n    total = 0\n    for byte in data:\n"
        "        total = (total + byte) % 65521\n    return total\n\n\n"
        "def pack(data):\n    return data + bytes([checksum(data) % 256])\n"
    },
)
DIGEST = """def digest(items):
    value = 17
    for item in items:
        value = (value * 33 + item) % 999983
    return value


"""
NEW_CALLER = python(
    "audit",
    {
        "run.py": running("for i in range(160):\n    work.save(list(range(1500)))"),
        "work.py": DIGEST + "def save(items):\n    return digest(items)\n",
    },
    {
        "work.py": DIGEST + "def audit(items):\n    return [digest(items[: len(items) // n]) for n in (1, 2)]\n\n\n"
        "def save(items):\n    audit(items)\n    return digest(items)\n"
    },
)
RECURSION = python(
    "walk",
    {
        "run.py": running("tree = work.grow(12)\nfor i in range(12):\n    work.walk(tree)"),
        "work.py": "def grow(depth):\n    return [grow(depth - 1), grow(depth - 1)] if depth else []\n\n\n"
        "def walk(node):\n    return 1 + sum([walk(child) for child in node])\n",
    },
    {
        "work.py": "def grow(depth):\n    return [grow(depth - 1), grow(depth - 1)] if depth else []\n\n\n"
        "def walk(node, path=()):\n    here = tuple(sorted(str(part) for part in path))\n"
        "    return 1 + sum([walk(child, (*here, len(here))) for child in node])\n"
    },
)
GENERATOR = python(
    "tokens",
    {
        "run.py": running("text = 'some words, and more. ' * 20000\nprint(work.count(text))"),
        "work.py": "def tokens(text):\n    for word in text.split(' '):\n        yield word\n\n\n"
        "def count(text):\n    return sum(len(word) for word in tokens(text))\n",
    },
    {
        "work.py": "def tokens(text):\n    for word in text.split(' '):\n"
        "        if word and not all(c.isalpha() for c in word):\n            word = word.rstrip('.,')\n"
        "        yield word\n\n\n"
        "def count(text):\n    return sum(len(word) for word in tokens(text))\n"
    },
)
IMPORT = python(
    "<module>",
    {"run.py": running("work.start()"), "work.py": "import sys\n\n\ndef start():\n    return sys.argv\n"},
    {
        "work.py": "import asyncio\nimport email.mime.multipart\nimport http.server\nimport sys\nimport unittest.mock\n"
        "import xml.dom.minidom\n\n\ndef start():\n    return sys.argv, asyncio, http, email, xml, unittest\n"
    },
)
THREADS = python(
    "shrink",
    {
        "run.py": running("print(work.everything())"),
        "work.py": "from concurrent.futures import ThreadPoolExecutor\n\n\n"
        "def shrink(seed):\n    return sum([pixel // 2 for pixel in range(seed, seed + 4000)])\n\n\n"
        "def everything():\n    with ThreadPoolExecutor(3) as pool:\n"
        "        return sum(pool.map(shrink, range(300)))\n",
    },
    {
        "work.py": "from concurrent.futures import ThreadPoolExecutor\n\n\n"
        "def shrink(seed):\n    return sum([int(str(pixel)) // 2 for pixel in range(seed, seed + 4000)])\n\n\n"
        "def everything():\n    with ThreadPoolExecutor(3) as pool:\n        return sum(pool.map(shrink, range(300)))\n"
    },
)
SUBPROCESS = python(
    "decode",
    {
        "run.py": running("work.delegate()"),
        "work.py": "import os\nimport subprocess\nimport sys\n\n\ndef delegate():\n"
        "    worker = os.path.join(os.path.dirname(__file__), 'worker.py')\n"
        "    return subprocess.run([sys.executable, worker], check=True)\n",
        "worker.py": "def decode(line):\n    return line.split(',')\n\n\n"
        "def everything():\n    return [decode('one,two,%d' % number) for number in range(200000)]\n\n\neverything()\n",
    },
    {
        "worker.py": "def decode(line):\n    pieces = (piece.strip() for piece in line.split(','))\n"
        "    return [piece for piece in pieces if piece]\n\n\n"
        "def everything():\n    return [decode('one,two,%d' % number) for number in range(200000)]\n\n\neverything()\n"
    },
    file="worker.py",
)
EXTENSION_SOURCE = """#define PY_SSIZE_T_CLEAN
#include <Python.h>

static volatile unsigned long sink;

__attribute__((noinline)) static void spread(unsigned long n)
{
    for (unsigned long i = 0; i < n; i++) sink += i ^ sink;
}

__attribute__((noinline)) static void crunch(unsigned long n)
{
    for (unsigned long i = 0; i < n; i++) sink += i * 3;
}

static PyObject *run(PyObject *self, PyObject *argument)
{
    unsigned long n = PyLong_AsUnsignedLong(argument);
    spread(n);
    crunch(n);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"run", run, METH_O, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "quick", "", -1, methods};
PyMODINIT_FUNC PyInit_quick(void) { return PyModule_Create(&module); }
"""
_COMPILED = (
    "gcc -g -O1 -fno-omit-frame-pointer -shared -fPIC -I "
    "$(python3 -c 'import sysconfig; print(sysconfig.get_path(\"include\"))') -o app/quick.so app/quick.c"
)
EXTENSION = Planted(
    before={
        "app/common.py": COMMON,
        "app/run.py": running("for i in range(20):\n    work.run(2000000)"),
        "app/work.py": "import quick\n\n\ndef run(n):\n    return quick.run(n)\n",
        "app/quick.c": EXTENSION_SOURCE,
    },
    after={
        "app/common.py": COMMON_EDITED,
        "app/run.py": running("for i in range(20):\n    work.run(2000000)"),
        "app/work.py": "import quick\n\n\ndef run(n):\n    return quick.run(n)\n",
        "app/quick.c": EXTENSION_SOURCE.replace("sink += i * 3;", "sink += i * 3 + sink % 7;"),
    },
    guilty="crunch",
    file="app/quick.c",
    steps=(_COMPILED,),
    native=True,
)
TEN: Mapping[str, Planted] = {
    "deeper call": DEEPER,
    "more calls": MORE_CALLS,
    "slower callee": SLOWER_CALLEE,
    "new caller": NEW_CALLER,
    "recursion": RECURSION,
    "generator": GENERATOR,
    "C extension": EXTENSION,
    "import": IMPORT,
    "thread pool": THREADS,
    "subprocess": SUBPROCESS,
}

CACHED = DIGEST + "CACHE = {}\n\n\ndef load(key):\n    return digest(range(60))\n"
ITEMS = "for i in range(4000):\n    work.item(i)"
FINDINGS: Mapping[str, tuple[Planted, str]] = {
    "the same call repeated": (
        python(
            "item",
            {
                "run.py": running(ITEMS),
                "work.py": DIGEST + "def item(i):\n    return digest([i, i, i])\n",
            },
            {"work.py": DIGEST + "def item(i):\n    return [digest([i, i, i]) for _ in range(9)][0]\n"},
        ),
        "work.item calls work.digest 9 × a call instead of 1 ×",
    ),
    "a cache that stopped hitting": (
        python(
            "load",
            {
                "run.py": running(ITEMS),
                "work.py": CACHED + "\n\ndef item(i):\n"
                "    key = i % 20\n    if key not in CACHE:\n        CACHE[key] = load(key)\n    return CACHE[key]\n",
            },
            {
                "work.py": CACHED + "\n\ndef item(i):\n"
                "    key = (i % 20, i)\n    if key not in CACHE:\n        CACHE[key] = load(key)\n"
                "    return CACHE[key]\n"
            },
        ),
        "work.item called work.load in 0.50 % of its calls, now in 100 %",
    ),
    "a regular expression compiled in a loop": (
        python(
            "item",
            {
                "run.py": running(ITEMS.replace("4000", "700")),
                "work.py": "import re\n\n\ndef item(i):\n    return bool(re.search('a(b|c)*d', 'abcd' * (i % 9)))\n",
            },
            {
                "work.py": "import re\n\n\ndef item(i):\n"
                "    return bool(re.search('a(b|c)*d{%d}' % i, 'abcd' * (i % 9)))\n"
            },
        ),
        "work.item compiles regular expressions for",
    ),
    "a new import at start-up": (
        python(
            "<module>",
            {"run.py": running("work.start()"), "work.py": "import sys\n\n\ndef start():\n    return sys.argv\n"},
            {"work.py": "import asyncio\nimport sys\n\n\ndef start():\n    return sys.argv, asyncio\n"},
        ),
        "work imports asyncio/__init__.py, which it did not before",
    ),
    "input inside a loop": (
        python(
            "item",
            {
                "run.py": running(ITEMS),
                "work.py": "import os\n\n\nHERE = os.path.abspath(__file__)\nTEXT = open(HERE).read()\n\n\n"
                "def item(i):\n    return TEXT[i % 7]\n",
            },
            {
                "work.py": "import os\n\n\nHERE = os.path.abspath(__file__)\n\n\n"
                "def item(i):\n    with open(HERE) as file:\n        return file.read()[i % 7]\n"
            },
        ),
        "which is input or output, 4,000 × instead of 0 ×",
    ),
}
"""A program for each rule, and the sentence it must give rise to."""
