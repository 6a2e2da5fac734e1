"""The program that looks for regexes in what web servers answer: a process of its own, run by `Searcher`.

Python's `re` lets nothing else of its process run while it searches, and an answer may be such that a search in it
goes on for ever. The kernel ends this process when one takes too much of the processor's time, whether anybody still
waits for it or not.

It reads requests from its standard input (HEAD, the pattern, what is searched) and writes an answer to each.
It is begun without this package, which would take ten times as long.
"""

from __future__ import annotations

import re
import signal
import struct
import sys
from typing import BinaryIO

HEAD = struct.Struct("!IIIId")
"""Octets of the pattern, its flags, octets of what is searched, where the search begins, and how many seconds of the
processor's time it may take."""
ANSWER = struct.Struct("!i")
"""Where it was found; -1: nowhere."""


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more; SIGVTALRM ends the process that takes too long for one."""
    while len(head := requests.read(HEAD.size)) == HEAD.size:
        pattern_size, flags, size, start, limit_s = HEAD.unpack(head)
        pattern, searched = requests.read(pattern_size), requests.read(size)
        signal.setitimer(signal.ITIMER_VIRTUAL, limit_s)
        found = re.compile(pattern, flags).search(searched, start)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        answers.write(ANSWER.pack(-1 if found is None else found.start()))
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
