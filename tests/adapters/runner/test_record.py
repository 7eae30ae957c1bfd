"""The record is read without trusting it: damage is never a number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bisector.adapters.measure.outcome import without_record
from bisector.adapters.measure.record import Damage, Record, parse
from bisector.core.model.samples import Outcome
from bisector.errors import InfraFault

NONCE = "ab" * 16
NUMBERS = (
    "wall_ns",
    "cpu_us",
    "peak_kib",
    "faults",
    "timed_out",
    "stopped",
    "over_output",
    "over_memory",
    "oom_kills",
    "survivors",
)


def field(name: str, value: bytes) -> bytes:
    return b"%s %d\n%s\n" % (name.encode(), len(value), value)


def framed(payload: bytes, nonce: str = NONCE) -> bytes:
    return b"bisector-record 1 %s %d\n%s" % (nonce.encode(), len(payload), payload)


GOOD = (
    field("exit", b"0")
    + b"".join(field(name, b"7" if name in NUMBERS[:4] else b"0") for name in NUMBERS)
    + field("stdout", b"bisector-record 1 - 5\nline\n")
    + field("file.0", b"\0\n")
    + field("refused.1", b"it is a link")
)


def test_a_sound_record_is_read() -> None:
    record = parse(framed(GOOD), NONCE)
    assert isinstance(record, Record)
    assert (record.exit_code, record.usage.wall, record.usage.cpu, record.usage.peak_memory) == (0, 7e-9, 7e-6, 7168)
    assert record.usage.page_faults == 7
    assert record.stdout == b"bisector-record 1 - 5\nline\n"
    assert (dict(record.files), dict(record.refused)) == ({0: b"\0\n"}, {1: "it is a link"})


@given(cut=st.integers(0, len(framed(GOOD)) - 1))
def test_a_record_that_is_cut_off_is_told_as_such(cut: int) -> None:
    assert parse(framed(GOOD)[:cut], NONCE) is Damage.CUT_OFF


@given(noise=st.binary(min_size=1), at=st.integers(0, len(framed(GOOD))))
def test_anything_else_in_the_stream_is_damage(noise: bytes, at: int) -> None:
    whole = framed(GOOD)
    assert isinstance(parse(whole[:at] + noise + whole[at:], NONCE), Damage)


@given(stream=st.binary())
def test_noise_alone_is_damage(stream: bytes) -> None:
    assert isinstance(parse(stream, NONCE), Damage)


@pytest.mark.parametrize(
    "stream",
    [
        framed(GOOD, nonce="cd" * 16),
        framed(GOOD, nonce="-"),
        framed(GOOD) + framed(GOOD),
        framed(GOOD) + field("refused.2", b"x"),
        framed(GOOD + field("exit", b"0")),
        framed(GOOD + field("signal", b"9")),
        framed(GOOD.replace(field("exit", b"0"), b"")),
        framed(GOOD.replace(field("exit", b"0"), field("exit", b"-1"))),
        framed(GOOD.replace(field("exit", b"0"), field("failed", b"exec"))),
        framed(GOOD.replace(field("wall_ns", b"7"), field("wall_ns", b"nan"))),
        framed(GOOD.replace(field("wall_ns", b"7"), field("wall_ns", b"7e3"))),
        framed(GOOD.replace(field("wall_ns", b"7"), field("wall_ns", b"9" * 19))),
        framed(GOOD.replace(field("wall_ns", b"7"), field("wall_ns", "７".encode()))),
        framed(GOOD.replace(field("cpu_us", b"7"), b"")),
        framed(GOOD[:-1]),
        framed(GOOD + b"x"),
        b"hello\n",
    ],
)
def test_what_was_forged_is_no_record(stream: bytes) -> None:
    assert parse(stream, NONCE) is Damage.FOREIGN


def test_damage_done_by_the_command_is_no_result() -> None:
    assert without_record(Damage.FOREIGN, 0, b"").outcome is Outcome.NO_RESULT
    assert without_record(Damage.CUT_OFF, 137, b"").outcome is Outcome.NO_RESULT
    assert without_record(Damage.CUT_OFF, -9, b"").outcome is Outcome.NO_RESULT


@pytest.mark.parametrize("exit_code", [125, 0, None, 126, 127])
def test_a_helper_that_fails_by_itself_is_the_machines_fault(exit_code: int | None) -> None:
    with pytest.raises(InfraFault, match="measuring helper failed: measure: cannot empty /x"):
        without_record(Damage.CUT_OFF, exit_code, b"measure: cannot empty /x\n")
