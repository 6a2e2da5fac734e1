"""What a verdict on a configuration depends on beside its text: the machine that is to run it."""

from __future__ import annotations

import enum
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field

_MOST_PROCESSORS = 1024
DEFAULT_SCRIPT_USER = "keepalived_script"


class Program(enum.Enum):
    """The file behind a script: not there, a directory, there, or there and writable by others than root."""

    MISSING = "missing"
    NO_FILE = "no file"
    FOUND = "found"
    UNSAFE = "unsafe"


class Host:
    """A machine of which nothing is known: everything exists that a configuration names, and is safe."""

    def has_interface(self, name: str) -> bool:
        """Whether there is a network interface of this name when keepalived starts."""
        return True

    def is_taken(self, name: str) -> bool:
        """Whether an interface has this name already that keepalived would give to one of its own."""
        return False

    def has_network_namespace(self, name: str) -> bool:
        """Whether there is a network namespace of this name when keepalived starts."""
        return True

    def user_id(self, name: str) -> int | None:
        """The number of a user; None when there is none of this name."""
        return 0

    def group_id(self, name: str) -> int | None:
        """The number of a group; None when there is none of this name."""
        return 0

    def own_group_id(self, name: str) -> int | None:
        """The number of a user's own group; None when there is no such user. Where nobody knows, the user's."""
        return self.user_id(name)

    def program(self, name: str) -> Program:
        """What is behind the first word of a script, a path or a name to look for in $PATH."""
        return Program.FOUND

    def processors(self) -> int:
        """How many processors there are."""
        return _MOST_PROCESSORS

    def resolves(self, name: str) -> bool:
        """Whether there is an address for the name of a host."""
        return True


class Interfaces:
    """Asks a host for interfaces, and remembers whether one was missing.

    Args:
        host: the machine.
        dynamic: whether they may come later, which global_defs' dynamic_interfaces says.
    """

    def __init__(self, host: Host, dynamic: bool) -> None:
        self._host = host
        self._dynamic = dynamic
        self.missing = False

    def have(self, name: str) -> bool:
        """Whether keepalived can do with this interface."""
        if self._dynamic or self._host.has_interface(name):
            return True
        self.missing = True
        return False

    def exist(self, name: str) -> bool:
        """Whether there is one now; that it is missing is nothing to keep keepalived from starting."""
        return self._host.has_interface(name)

    def taken(self, name: str) -> bool:
        """Whether keepalived cannot give this name to an interface of its own."""
        return self._host.is_taken(name)


@dataclass(frozen=True, slots=True)
class KnownHost(Host):
    """A machine that is written down; what is not in here does not exist.

    Attributes:
        interfaces: the names of the network interfaces.
        users: the numbers of the users, by name.
        groups: the numbers of the groups, by name.
        programs: the files that scripts may name, by path; the name of one on the search path does as well.
        links: directories that are links, with what they are links to.
        search_path: where a name without a slash is looked for.
        processor_count: how many processors there are.
        hosts: the names of hosts for which there is an address.
        network_namespaces: their names.
    """

    interfaces: frozenset[str]
    users: Mapping[str, int] = field(default_factory=lambda: {"root": 0})
    groups: Mapping[str, int] = field(default_factory=lambda: {"root": 0})
    programs: Mapping[str, Program] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    search_path: tuple[str, ...] = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin")
    processor_count: int = 1
    hosts: frozenset[str] = frozenset({"localhost"})
    network_namespaces: frozenset[str] = frozenset()

    def has_interface(self, name: str) -> bool:
        """Whether it is written down."""
        return name in self.interfaces

    def is_taken(self, name: str) -> bool:
        """Whether it is written down."""
        return name in self.interfaces

    def has_network_namespace(self, name: str) -> bool:
        """Whether it is written down."""
        return name in self.network_namespaces

    def user_id(self, name: str) -> int | None:
        """The number that is written down."""
        return self.users.get(name)

    def group_id(self, name: str) -> int | None:
        """The number that is written down."""
        return self.groups.get(name)

    def program(self, name: str) -> Program:
        """What is written down of the path, or of the first such name on the search path."""
        paths = [name] if "/" in name else [f"{folder}/{name}" for folder in self.search_path]
        found = (self.programs.get(self._resolved(path), Program.MISSING) for path in paths)
        return next((one for one in found if one is not Program.MISSING), Program.MISSING)

    def processors(self) -> int:
        """The number that is written down."""
        return self.processor_count

    def resolves(self, name: str) -> bool:
        """Whether it is written down."""
        return name in self.hosts

    def _resolved(self, path: str) -> str:
        path = posixpath.normpath(path).replace("//", "/")
        folder, slash, rest = path[1:].partition("/")
        return f"{self.links.get('/' + folder, '/' + folder)}{slash}{rest}"
