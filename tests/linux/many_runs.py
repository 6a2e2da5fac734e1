"""Runs `vrrp` many times at once, each in a process of its own that has loaded already what they all need.

It reads a JSON object from its standard input, of each name the words after `vrrp`, and writes another: of each name
the exit status and all that was said. To load the package takes far longer than to find out why it cannot run.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import sys
import tempfile

import vrrp.linux
from vrrp.cli.main import main

for found in pkgutil.walk_packages(vrrp.linux.__path__, "vrrp.linux."):
    importlib.import_module(found.name)

started = {}
for name, words in json.load(sys.stdin).items():
    said = tempfile.TemporaryFile()  # noqa: SIM115  # it is read when its process has ended
    pid = os.fork()
    if not pid:
        for stream in (1, 2):
            os.dup2(said.fileno(), stream)
        main(words)
    started[name] = pid, said

ended = {}
for name, (pid, said) in started.items():
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    said.seek(0)
    ended[name] = status, said.read().decode()
print(json.dumps(ended))
