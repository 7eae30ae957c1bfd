"""Imports tinytext in five fresh interpreters; prints the seconds of each import, without the interpreter's start, and,
from another one, how many modules come with it."""

import json
import subprocess
import sys

CODE = "import time; start = time.perf_counter(); import tinytext; print(time.perf_counter() - start)"
COUNT = "import sys; before = len(sys.modules); import tinytext; print(len(sys.modules) - before)"


def main() -> None:
    times = [float(subprocess.check_output([sys.executable, "-c", CODE])) for _ in range(5)]
    modules = int(subprocess.check_output([sys.executable, "-c", COUNT]))
    print(json.dumps({"import_seconds": times, "imports": modules}))


main()
