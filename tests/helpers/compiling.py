"""A compiler that remembers: every test with a cache of its own would compile the same measuring programs again."""

import os
import shutil
from pathlib import Path

from bisector.adapters.measure.tools import PROGRAMS

REMEMBERING = """#!/bin/sh
# Compiles what is in PROGRAMS once for each content; anything else is none of its business.
case "$*" in *PROGRAMS/*) ;; *) exec COMPILER "$@" ;; esac
name=; before=; output=
for word; do
    [ "$before" = -o ] && output=$word || name="$name $word"
    before=$word
done
kept=KEPT/$({ echo "$name"; cat PROGRAMS/*.c PROGRAMS/*.h; } | sha256sum | cut -c1-32)
if [ ! -e "$kept" ]; then
    COMPILER "$@" || exit
    cp "$output" "$kept.$$" && mv "$kept.$$" "$kept"
else
    cp "$kept" "$output"
fi
"""


def remember_compiled(room: Path) -> None:
    """Put a `cc` before the real one on this process's PATH; what it made is kept in `room`, for several processes."""
    compiler = shutil.which("cc")
    if compiler is None or Path(compiler).parent == room:
        return
    kept = room / "kept"
    kept.mkdir(parents=True, exist_ok=True)
    script = REMEMBERING
    for word, value in {"PROGRAMS": str(PROGRAMS), "COMPILER": compiler, "KEPT": str(kept)}.items():
        script = script.replace(word, value)
    made = room / f"cc.{os.getpid()}"
    made.write_text(script)
    made.chmod(0o755)
    made.replace(room / "cc")
    os.environ["PATH"] = f"{room}{os.pathsep}{os.environ['PATH']}"
