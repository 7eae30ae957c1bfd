"""60 JSON objects parsed by a grammar that every release from 2.2 on knows; the best of 15 rounds."""

import json
import time

import pyparsing as pp

value = pp.Forward()
text = pp.dblQuotedString.copy().setParseAction(pp.removeQuotes)
number = pp.Regex(r"-?\d+(\.\d*)?").setParseAction(lambda found: float(found[0]))
array = pp.Group(pp.Suppress("[") + pp.Optional(pp.delimitedList(value)) + pp.Suppress("]"))
member = pp.Group(text + pp.Suppress(":") + value)
thing = pp.Group(pp.Suppress("{") + pp.Optional(pp.delimitedList(member)) + pp.Suppress("}"))
value <<= text | number | thing | array | pp.Keyword("true")
DOCUMENT = json.dumps([{"a": n, "b": [1, 2, 3, "x"], "c": {"d": True}} for n in range(60)])


def once():
    began = time.process_time()
    value.parseString(DOCUMENT)
    return time.process_time() - began


print(json.dumps({"cpu_seconds": min(once() for _ in range(15))}))
