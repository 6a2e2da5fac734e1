"""This machine, as a configuration that is for it finds it."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterable
from pathlib import Path

from vrrp.config.host import Host, Program

# Where keepalived looks for a script without a path, and where Debian puts what only root needs.
SEARCH_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_NETWORK_NAMESPACES = "/run/netns"
_SETTINGS = ("net.ipv4.ip_nonlocal_bind", "net.ipv6.ip_nonlocal_bind")


class ThisMachine(Host):
    """The machine on which this runs.

    Args:
        interfaces: those that it is to have; None when they are not looked at.
        search_path: where programs without a path are looked for.
    """

    def __init__(self, interfaces: Iterable[str] | None = None, search_path: Iterable[str] = SEARCH_PATH) -> None:
        self._interfaces = None if interfaces is None else frozenset(interfaces)
        self._search_path = tuple(search_path)

    def has_interface(self, name: str) -> bool:
        """Whether it was given."""
        return self._interfaces is None or name in self._interfaces

    def has_network_namespace(self, name: str) -> bool:
        """Whether iproute2 has named one so."""
        try:
            return Path(_NETWORK_NAMESPACES, name).is_file()
        except (OSError, ValueError):
            return False

    def user_id(self, name: str) -> int | None:
        """As the system's files have it."""
        try:
            return pwd.getpwnam(name).pw_uid
        except (KeyError, ValueError):
            return None

    def group_id(self, name: str) -> int | None:
        """As the system's files have it."""
        try:
            return grp.getgrnam(name).gr_gid
        except (KeyError, ValueError):
            return None

    def own_group_id(self, name: str) -> int | None:
        """As the system's files have it."""
        try:
            return pwd.getpwnam(name).pw_gid
        except (KeyError, ValueError):
            return None

    def program(self, name: str) -> Program:
        """Whether it is there, and others than root could change it or what leads to it."""
        try:
            path = find_program(name, self._search_path)
            if path is None:
                return Program.MISSING
            if path.is_dir():
                return Program.NO_FILE
            unsafe = open_to_others(path) is not None
        except (OSError, ValueError):
            return Program.MISSING
        return Program.UNSAFE if unsafe else Program.FOUND

    def processors(self) -> int:
        """How many processors there are."""
        return os.cpu_count() or 1


def find_program(name: str, search_path: Iterable[str] = SEARCH_PATH) -> Path | None:
    """The file that a script's first word names: a path, or a name on the search path; None where there is none.

    ValueError for a name that no file can have.
    """
    folders = [""] if "/" in name else [f"{folder}/" for folder in search_path]
    return next((found for folder in folders if (found := Path(folder + name)).exists()), None)


def open_to_others(path: Path) -> Path | None:
    """Of a file that another than root could change, the path as keepalived names it; None for one that is root's.

    keepalived 2.2.7's rules (measured): every file and folder on the way is root's, and its group's to write only
    where that is root's; a folder with the sticky bit may be anybody's to write in; links are looked at as well, and
    what they lead to. OSError for one that cannot be looked at.
    """
    whole = Path(os.path.abspath(path))  # noqa: PTH100 (resolve() would follow the links)
    if any(step.is_symlink() and step.lstat().st_uid for step in (whole, *whole.parents)):
        return path
    resolved = path.resolve()
    return resolved if any(_changeable(step.stat()) for step in (resolved, *resolved.parents)) else None


def _changeable(found: os.stat_result) -> bool:
    mode = found.st_mode
    written = mode & stat.S_IWOTH or (mode & stat.S_IWGRP and found.st_gid)
    return bool(found.st_uid or (written and not (stat.S_ISDIR(mode) and mode & stat.S_ISVTX)))


def kernel_settings() -> dict[str, str]:
    """The kernel's settings that the linter asks for, by their names in sysctl."""
    found = {}
    for name in _SETTINGS:
        try:
            found[name] = Path("/proc/sys", *name.split(".")).read_text(encoding="ascii").strip()
        except OSError:
            continue
    return found
