"""Imports tinytext in five fresh interpreters; prints the seconds of each import, without the interpreter's start."""

import json
import subprocess
import sys

CODE = "import time; start = time.perf_counter(); import tinytext; print(time.perf_counter() - start)"


def main() -> None:
    times = [float(subprocess.check_output([sys.executable, "-c", CODE])) for _ in range(5)]
    print(json.dumps({"import_seconds": times}))


main()
