"""Profile files of any tool, read into captures. One file a format."""

import json
import zlib

from bisector.core.explain.stacks import Capture
from bisector.formats.profiles import folded, perf_script, pprof, pyinstrument, speedscope, stored
from bisector.formats.profiles.gathering import Reading
from bisector.formats.profiles.problem import ProfileProblem

LARGEST = 1 << 30
"""Bytes that are unpacked at most: a compressed file of a few kilobytes may claim to be any size."""
_GZIP, _ZLIB = b"\x1f\x8b", (b"\x78\x01", b"\x78\x9c", b"\x78\xda")


def read_profile(data: bytes, reading: Reading) -> Capture:
    """The capture in a profile file of any tool, told by its content; ProfileProblem says why there is none.

    Folded stacks (py-spy raw, stackcollapse), speedscope (py-spy, pyinstrument), pyinstrument sessions, `perf script`,
    pprof, and captures as we store them; each may be gzipped.
    """
    if data[:2] in _ZLIB:
        return stored.decode(data)
    data = _unpacked(data) if data.startswith(_GZIP) else data
    start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise ProfileProblem("it is empty")
    if start.startswith(b"{"):
        return _read_json(data, reading)
    text = data.decode("utf-8", "replace")
    if _is_binary(data, text):
        try:
            return pprof.read(data, reading)
        except ProfileProblem:
            # Control characters may be part of names, too; what is no text can be nothing else.
            if "\ufffd" in text:
                raise
    return perf_script.read(text, reading) if perf_script.looks_like(text) else folded.read(text, reading)


def _read_json(data: bytes, reading: Reading) -> Capture:
    try:
        document = json.loads(data.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        raise ProfileProblem(f"it begins like JSON and is none: {error}") from None
    if "frame_records" in document:
        return pyinstrument.read(document, reading)
    if "shared" in document and "profiles" in document:
        return speedscope.read(document, reading)
    raise ProfileProblem("it is JSON, but neither speedscope's nor a session of pyinstrument")


def _is_binary(data: bytes, text: str) -> bool:
    """Whether the data begins as a pprof profile may: with one of its 14 fields, and bytes that are no text."""
    field, kind = data[0] >> 3, data[0] & 7
    odd = "\ufffd" in text or any(byte < 0x20 and byte not in b"\t\r\n" for byte in data[:256])
    return 1 <= field <= 14 and kind in {0, 2} and odd


def _unpacked(data: bytes) -> bytes:
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        unpacked = unpacking.decompress(data, LARGEST)
    except zlib.error as error:
        raise ProfileProblem(f"its compression is damaged: {error}") from None
    if unpacking.unconsumed_tail:
        raise ProfileProblem(f"it is more than {LARGEST >> 30} GiB when unpacked")
    if not unpacking.eof:
        raise ProfileProblem("its compression is cut short")
    return unpacked
