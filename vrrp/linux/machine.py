"""This machine, as a configuration that is for it finds it."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Iterable
from pathlib import Path

from vrrp.config.host import Host, Program

# Where keepalived looks for a script without a path, and where Debian puts what only root needs.
SEARCH_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_NETWORK_NAMESPACES = "/run/netns"
_OTHERS_WRITE, _STICKY = 0o22, 0o1000
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

    def program(self, name: str) -> Program:
        """Whether it is there, and others than root may write it or a folder above it."""
        folders = [""] if "/" in name else [f"{folder}/" for folder in self._search_path]
        try:
            path = next((found for folder in folders if (found := Path(folder + name)).exists()), None)
            if path is None:
                return Program.MISSING
            path = path.resolve()
            if path.is_dir():
                return Program.NO_FILE
            modes = [one.stat().st_mode for one in (path, *path.parents)]
        except (OSError, ValueError):
            return Program.MISSING
        unsafe = any(mode & _OTHERS_WRITE and not mode & _STICKY for mode in modes)
        return Program.UNSAFE if unsafe else Program.FOUND

    def processors(self) -> int:
        """How many processors there are."""
        return os.cpu_count() or 1


def kernel_settings() -> dict[str, str]:
    """The kernel's settings that the linter asks for, by their names in sysctl."""
    found = {}
    for name in _SETTINGS:
        try:
            found[name] = Path("/proc/sys", *name.split(".")).read_text(encoding="ascii").strip()
        except OSError:
            continue
    return found
