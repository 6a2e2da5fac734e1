"""Track files: their numbers, read again whenever one is written, replaced or removed (inotify(7)).

What a file says is keepalived 2.2.7's (measured): the number it begins with, blanks before it left out; 0 where there
is none, or no file; a number that no int holds leaves all as it was, and is told.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from vrrp.config.model import TrackFile

if TYPE_CHECKING:
    from vrrp.linux.daemon import Daemon

log = logging.getLogger("vrrp.track")

_libc = ctypes.CDLL(None, use_errno=True)
_CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x8, 0x40, 0x80, 0x100, 0x200
_EVENTS = _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE
_OVERFLOW = 0x4000
_EVENT = struct.Struct("@iIII")
"""struct inotify_event: watch, mask, cookie, the length of the name behind it."""
_NUMBER = re.compile(r"\s*([-+]?\d+)", re.ASCII)
_LONGEST = 128
"""Bytes of a file that are read; a number is shorter."""
_SMALLEST, _LARGEST = -(2**31), 2**31 - 1


def read_number(path: str) -> int | None:
    """The number in a track file, 0 where there is none; None for one that no int holds."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # not to wait for a FIFO's writer
    except (OSError, ValueError):
        return 0
    try:
        text = os.read(descriptor, _LONGEST).decode("ascii", "replace")
    except OSError:  # a directory
        return 0
    finally:
        os.close(descriptor)
    found = _NUMBER.match(text)
    if found is None:
        return 0
    number = int(found[1])
    return number if _SMALLEST <= number <= _LARGEST else None


class FileWatcher:
    """The service that follows the track files of a daemon.

    It watches the folders, for a file that is replaced is another file. OSError where the kernel has no watch left.
    """

    def __init__(self) -> None:
        self._watches: dict[int, str] = {}
        """The folder behind each watch."""
        self._files: dict[tuple[str, str], list[TrackFile]] = {}
        """The track files behind a folder and a name in it."""
        self._known: frozenset[str] = frozenset()
        """The names of those that were followed before."""
        self._descriptor = -1

    async def start(self, daemon: Daemon) -> None:
        """Write those that want a first number, read all and follow them."""
        self._daemon = daemon
        self._loop = asyncio.get_running_loop()
        self._descriptor = _checked(_libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._loop.add_reader(self._descriptor, self._read_events)
        daemon.reloaded.append(self._follow)
        self._follow()

    async def stop(self) -> None:
        """Follow them no more."""
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)

    def _follow(self) -> None:
        files = self._daemon.config.config.track_files
        self._files = {}
        for file in files.values():
            if file.initial is not None:
                _write_first(file, anew=file.overwrite and file.name not in self._known)
            path = Path(os.path.abspath(file.path))  # noqa: PTH100 (resolve() would follow the links)
            self._files.setdefault((str(path.parent), path.name), []).append(file)
        self._known = frozenset(files)
        folders = {folder for folder, _ in self._files}
        for watch, folder in list(self._watches.items()):
            if folder not in folders:
                _libc.inotify_rm_watch(self._descriptor, watch)
                del self._watches[watch]
        for folder in sorted(folders - set(self._watches.values())):
            try:
                watch = _checked(_libc.inotify_add_watch(self._descriptor, os.fsencode(folder), _EVENTS))
            except OSError as error:
                log.error("%s: its track files cannot be followed: %s", folder, (error.strerror or "").lower())
                continue
            self._watches[watch] = folder
        for file in files.values():
            self._read(file)

    def _read(self, file: TrackFile) -> None:
        number = read_number(file.path)
        if number is None:
            log.warning("Invalid number read from %s - ignoring", file.path)
            return
        router = self._daemon.router
        self._daemon.learn(lambda now_ns: router.set_file(now_ns, file.name, number))

    def _read_events(self) -> None:
        try:
            data = os.read(self._descriptor, 65536)
        except BlockingIOError:
            return
        changed: dict[tuple[str, str], None] = {}
        position = 0
        while position < len(data):
            watch, mask, _, length = _EVENT.unpack_from(data, position)
            name = os.fsdecode(data[position + _EVENT.size : position + _EVENT.size + length].rstrip(b"\0"))
            position += _EVENT.size + length
            if mask & _OVERFLOW:
                changed.update(dict.fromkeys(self._files))
            else:
                changed[self._watches.get(watch, ""), name] = None
        for place in changed:
            for file in self._files.get(place, ()):
                self._read(file)


def _write_first(file: TrackFile, *, anew: bool) -> None:
    """Write the first number (init_file); into a file that is there already only `anew`."""
    how = os.O_TRUNC | os.O_NONBLOCK if anew else os.O_EXCL  # not to wait for a FIFO's reader
    try:
        descriptor = os.open(file.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | how, 0o600)
    except FileExistsError:
        return
    except OSError as error:
        log.error("%s: %s", file.path, (error.strerror or str(error)).lower())
        return
    with os.fdopen(descriptor, "w", encoding="ascii") as handle:
        handle.write(f"{file.initial}\n")


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
