"""As much of protocol buffers as a pprof profile needs: fields of a message, numbers, packed numbers.

https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator

from bisector.formats.profiles.problem import ProfileProblem

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
Field = tuple[int, int | bytes]


def fields(data: bytes) -> Iterator[Field]:
    """Number and value of every field: an int for a number, bytes for a string, a message or packed numbers."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            length, at = _varint(data, at)
        elif kind in {_FIXED64, _FIXED32}:
            length = 8 if kind == _FIXED64 else 4
        else:
            raise ProfileProblem(f"a field of the unknown kind {kind}")
        if at + length > end:
            raise ProfileProblem("it ends in the middle of a field")
        yield key >> 3, data[at : at + length]
        at += length


def numbers(value: int | bytes) -> list[int]:
    """The numbers of a repeated field: packed, or one by one."""
    if isinstance(value, int):
        return [value]
    found, at = [], 0
    while at < len(value):
        number, at = _varint(value, at)
        found.append(number)
    return found


def signed(number: int) -> int:
    """A 64-bit number in two's complement."""
    return number - (1 << 64) if number >> 63 else number


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of base-128 digits, least significant first, and where it ends."""
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ProfileProblem(
                "it ends in the middle of a number" if shift <= 63 else "a number of more than 64 bits"
            )
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7
