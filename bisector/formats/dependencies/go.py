"""Go: go.mod. What go.sum adds are sums of the same versions."""

import re

_REQUIRED = re.compile(r"\s*(?:require\s+)?([^\s()]+)\s+(v[^\s]+)\s*(?://.*)?")
_REPLACED = re.compile(r"\s*(?:replace\s+)?([^\s()]+)(?:\s+v\S+)?\s+=>\s+(\S+)(?:\s+(v\S+))?\s*(?://.*)?")


def modules(text: str) -> dict[str, str]:
    """The modules that a go.mod requires, those it replaces with what takes their place, and the toolchain."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if (toolchain := re.fullmatch(r"(?:go|toolchain)\s+(\S+)\s*(?://.*)?", line)) is not None:
            found["go"] = toolchain[1]
        elif (replaced := _REPLACED.fullmatch(line)) is not None:
            found[replaced[1]] = f"{replaced[3]} of {replaced[2]}" if replaced[3] else replaced[2]
        elif not line.lstrip().startswith("exclude") and (required := _REQUIRED.fullmatch(line)) is not None:
            found.setdefault(required[1], required[2])
    return found
