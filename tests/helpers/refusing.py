"""A kernel that lets nobody look into other processes: `python -m tests.helpers.refusing COMMAND …`.

A seccomp filter answers ptrace, process_vm_readv and perf_event_open with EPERM, for the command and all it starts, as
a container without the rights does.
"""

import ctypes
import os
import struct
import sys

CALLS = {"x86_64": (101, 310, 298), "aarch64": (117, 270, 241)}
"""ptrace, process_vm_readv and perf_event_open by architecture."""
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2


def refuse() -> None:
    """From here on, here and in every process that begins here."""
    calls = CALLS[os.uname().machine]
    compared = [(_EQUAL, len(calls) - place, 0, number) for place, number in enumerate(calls)]
    steps = [(_LOAD, 0, 0, 0), *compared, (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    told = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(program)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(_SECCOMP, _FILTER, ctypes.byref(told)):
        raise OSError(ctypes.get_errno(), "the kernel takes no filter")


if __name__ == "__main__":
    refuse()
    os.execvp(sys.argv[1], sys.argv[1:])
