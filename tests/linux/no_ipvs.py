"""Runs a program to which IPVS seems to be there: `python no_ipvs.py PROGRAM ARGUMENTS...`.

keepalived's checkers end at once where the kernel has no IPVS. Without generic netlink for it, it uses socket options;
a filter (seccomp(2)) has the kernel say of all of IPVS' options that they were carried out, and do nothing.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys

_SET, _GET = {"x86_64": (54, 55), "aarch64": (208, 209)}[platform.machine()]
_FIRST, _LAST = 64 + 1024 + 64, 64 + 1024 + 64 + 63
"""IPVS' options of level SOL_IP (Linux' include/uapi/linux/ip_vs.h)."""
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER, _LEVEL, _OPTION = 0, 24, 32
"""Where struct seccomp_data has the number of the system call and its second and third argument."""
_SUCCESS, _ALLOW = 0x0005_0000, 0x7FFF_0000
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2

_PROGRAM = (
    (_LOAD, 0, 0, _NUMBER),
    (_EQUAL, 1, 0, _SET),
    (_EQUAL, 0, 6, _GET),
    (_LOAD, 0, 0, _LEVEL),
    (_EQUAL, 0, 4, 0),
    (_LOAD, 0, 0, _OPTION),
    (_AT_LEAST, 0, 2, _FIRST),
    (_AT_LEAST, 1, 0, _LAST + 1),
    (_RETURN, 0, 0, _SUCCESS),
    (_RETURN, 0, 0, _ALLOW),
)


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def main() -> None:
    """Install the filter and become the program."""
    libc = ctypes.CDLL(None, use_errno=True)
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *one) for one in _PROGRAM))
    filtered = _Filter(len(_PROGRAM), ctypes.cast(code, ctypes.c_void_p))
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(_SECCOMP, _FILTER, ctypes.byref(filtered), 0, 0):
        sys.exit(os.strerror(ctypes.get_errno()))
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
