"""Addresses matched and built by a map of 300 rules; the best of 15 rounds."""

import json
import time

from werkzeug.routing import Map, Rule

RULES = [Rule(f"/a{n}/<int:x>/b/<name>", endpoint=f"a{n}") for n in range(150)]
RULES += [Rule(f"/s{n}", endpoint=f"s{n}") for n in range(150)]
adapter = Map(RULES).bind("example.com")


def once():
    began = time.process_time()
    for n in range(0, 150, 3):
        adapter.match(f"/a{n}/12/b/hello")
        adapter.match(f"/s{n}")
        adapter.build(f"a{n}", {"x": 1, "name": "hello"})
    return time.process_time() - began


once()
print(json.dumps({"cpu_seconds": min(once() for _ in range(15))}))
