"""The process that fuzzes one target: `python -m tests.fuzz.child NAME [options of libFuzzer]`."""

import sys

import atheris

# What is imported in here is watched: which branches an input takes leads to the next one.
with atheris.instrument_imports(include=["bisector"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Fuzz until libFuzzer's options say that it is enough."""
    program, name, *options = sys.argv
    atheris.Setup([program, *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
