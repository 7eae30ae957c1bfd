"""A capture as it is stored: JSON of columns, with a version. Equal captures have equal bytes, so a hash names one."""

import json
import math
import zlib

from bisector.core.explain.stacks import ROOT, Capture, Frame, Origin, Tree, Unit, integers, numbers
from bisector.formats.profiles.problem import ProfileProblem

VERSION = 1
LARGEST = 1 << 30
"""Bytes of JSON that are unpacked at most."""


def encode(capture: Capture) -> bytes:
    """The capture as bytes, compressed; equal captures give equal bytes."""
    tree = capture.tree
    document = {
        "bisector_capture": VERSION,
        "tool": capture.tool,
        "unit": capture.unit.value,
        "samples": capture.samples,
        "work": capture.work,
        "lost": capture.lost,
        "cut": capture.cut,
        "frames": [[f.name, f.module, f.file, f.line, f.origin.value] for f in capture.frames],
        "levels": list(tree.levels),
        "parent": tree.parent.tolist(),
        "frame": tree.frame.tolist(),
        "weights": capture.weights.tolist(),
    }
    return zlib.compress(json.dumps(document, separators=(",", ":"), allow_nan=False).encode(), level=6)


def decode(data: bytes) -> Capture:
    """The inverse of `encode`; ProfileProblem for what it did not write, or a newer version of it."""
    try:
        unpacking = zlib.decompressobj()
        document = json.loads(unpacking.decompress(data, LARGEST))
        if document["bisector_capture"] != VERSION:
            raise ProfileProblem(f"a capture of version {document['bisector_capture']}, not {VERSION}")
        capture = Capture(
            tool=document["tool"],
            unit=Unit(document["unit"]),
            frames=tuple(
                Frame(name=name, module=module, file=file, line=line, origin=Origin(origin))
                for name, module, file, line, origin in document["frames"]
            ),
            tree=Tree(
                parent=integers(document["parent"]),
                frame=integers(document["frame"]),
                levels=tuple(document["levels"]),
            ),
            weights=numbers(document["weights"]),
            samples=document["samples"],
            work=document["work"],
            lost=document["lost"],
            cut=document["cut"],
        )
    except (zlib.error, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ProfileProblem(f"it is no stored capture: {type(error).__name__}: {error}") from None
    if not _is_sound(capture):
        raise ProfileProblem("its tree of calls is broken")
    return capture


def _is_sound(capture: Capture) -> bool:
    """Whether the columns fit each other: whole levels, every parent in the level above."""
    tree, size = capture.tree, capture.tree.size
    if not (len(tree.frame) == len(capture.weights) == size and tree.levels[:1] == (0,) and tree.levels[-1] == size):
        return False
    if size and not (tree.frame.min() >= 0 and tree.frame.max() < len(capture.frames)):
        return False
    above = slice(0, 0)
    for nodes in tree.depths():
        parent = tree.parent[nodes]
        low, high = (above.start, above.stop - 1) if nodes.start else (ROOT, ROOT)
        if not parent.size or parent.min() < low or parent.max() > high:
            return False
        above = nodes
    return math.isfinite(capture.total) and bool((capture.weights >= 0).all()) and capture.work > 0
