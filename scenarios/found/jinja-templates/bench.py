"""Templates on disk that are in the cache asked for again; the best of 25 rounds.

Commits of 2014 name ABCs by their old place and put flags in the middle of patterns, which Python 3.11 refuses: both
are given back to them before the import.
"""

import collections
import collections.abc
import json
import re
import tempfile
import time
from pathlib import Path

for name in collections.abc.__all__:
    if not hasattr(collections, name):
        setattr(collections, name, getattr(collections.abc, name))


def compile_with_flags_inside(pattern, flags=0, compiled=re.compile):
    for letter, flag in (("u", re.U), ("m", re.M), ("s", re.S), ("i", re.I)):
        if isinstance(pattern, str) and f"(?{letter})" in pattern:
            pattern, flags = pattern.replace(f"(?{letter})", ""), flags | flag
    return compiled(pattern, flags)


re.compile = compile_with_flags_inside
from jinja2 import Environment, FileSystemLoader  # noqa: E402

NAMES = [f"page{number}.html" for number in range(10)]


def once(environment):
    began = time.process_time()
    for _ in range(100):
        for name in NAMES:
            environment.get_template(name)
    return time.process_time() - began


with tempfile.TemporaryDirectory() as root:
    for name in NAMES:
        Path(root, name).write_text("<ul>{% for each in all %}<li>{{ each }}</li>{% endfor %}</ul>\n" * 5)
    loaded = Environment(loader=FileSystemLoader(root))
    once(loaded)
    print(json.dumps({"cpu_seconds": min(once(loaded) for _ in range(25))}))
