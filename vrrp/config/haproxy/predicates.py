"""`.if` and `.elif`: the expressions, as HAProxy 2.6.12 of Debian 12 evaluates them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from vrrp.config.haproxy.diagnostics import RefusedError

VERSION = (2, 6, 12, 0)
TLS_LIBRARY = "OpenSSL 3.0"
TLS_VERSION = (3, 0, 0, 0)
DEEPEST = 60
"""Parentheses in parentheses; HAProxy's own limit is its stack."""

FEATURES = frozenset(
    [
        "ACCEPT4",
        "BACKTRACE",
        "CPU_AFFINITY",
        "CRYPT_H",
        "DL",
        "EPOLL",
        "GETADDRINFO",
        "LIBCRYPT",
        "LINUX_SPLICE",
        "LINUX_TPROXY",
        "LUA",
        "NETFILTER",
        "NS",
        "OPENSSL",
        "OT",
        "PCRE2",
        "PCRE2_JIT",
        "POLL",
        "PRCTL",
        "PROMEX",
        "RT",
        "SLZ",
        "SYSTEMD",
        "TFO",
        "THREAD",
        "THREAD_DUMP",
        "TPROXY",
    ]
)
ENABLED = frozenset(["EPOLL", "FAST-FORWARD", "GETADDRINFO", "POLL", "REUSEPORT", "SPLICE"])
CAN_BE_ENABLED = ENABLED | frozenset(["EVPORTS", "KQUEUE", "SERVER-SSL-VERIFY-NONE"])

_NUMBER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+)")
_CALL = re.compile(r"([a-z_]+)\(")
_ARGUMENTS: Mapping[str, int] = {
    "defined": 1,
    "enabled": 1,
    "feature": 1,
    "openssl_version_atleast": 1,
    "openssl_version_before": 1,
    "ssllib_name_startswith": 1,
    "streq": 2,
    "strneq": 2,
    "version_atleast": 1,
    "version_before": 1,
}


def holds(text: str, environment: Mapping[str, str]) -> bool:
    """Whether an expression holds; none at all does not.

    Raises:
        RefusedError: it is no expression. HAProxy reads no further.
    """
    if not text.strip():
        return False
    reader = _Expression(text, environment)
    value = reader.alternatives()
    reader.space()
    if reader.at < len(text):
        raise _broken(f"{text[reader.at :]!r} is not expected in the condition {text!r}")
    return value


def _broken(message: str) -> RefusedError:
    return RefusedError("bad-condition", message, abort=True)


class _Expression:
    def __init__(self, text: str, environment: Mapping[str, str]) -> None:
        self.text = text
        self.environment = environment
        self.at = 0
        self._depth = 0

    def space(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def alternatives(self) -> bool:
        value = self._together()
        while self._operator("||"):
            value |= self._together()
        return value

    def _together(self) -> bool:
        value = self._term()
        while self._operator("&&"):
            value &= self._term()
        return value

    def _operator(self, sign: str) -> bool:
        self.space()
        if not self.text.startswith(sign, self.at):
            return False
        self.at += len(sign)
        return True

    def _term(self) -> bool:
        negated = False
        self.space()
        while self.text.startswith("!", self.at):
            negated = not negated
            self.at += 1
            self.space()
        return self._value() != negated

    def _value(self) -> bool:
        text = self.text
        if text.startswith("(", self.at):
            self._depth += 1
            if self._depth > DEEPEST:
                raise _broken("parentheses too deep in a condition")
            self.at += 1
            value = self.alternatives()
            self.space()
            if not text.startswith(")", self.at):
                raise _broken(f"a parenthesis is not closed in the condition {text!r}")
            self.at += 1
            self._depth -= 1
            return value
        number = _NUMBER.match(text, self.at)
        if number:
            self.at = number.end()
            return bool(number[0].strip("+-0xX"))
        call = _CALL.match(text, self.at)
        if call is None or call[1] not in _ARGUMENTS:
            raise _broken(f"{text[self.at :]!r} is no condition")
        end = text.find(")", call.end())
        if end < 0:
            raise _broken(f"a parenthesis behind {call[1]} is not closed")
        arguments = text[call.end() : end].split(",")
        if len(arguments) != _ARGUMENTS[call[1]]:
            raise _broken(f"{call[1]} takes {_ARGUMENTS[call[1]]} arguments and has {len(arguments)}")
        self.at = end + 1
        return self._called(call[1], [one.strip() for one in arguments])

    def _called(self, name: str, arguments: list[str]) -> bool:
        first = arguments[0]
        if name == "defined":
            return first in self.environment
        if name == "feature":
            return first in FEATURES
        if name == "enabled":
            if first not in CAN_BE_ENABLED:
                raise _broken(f"nothing is called {first!r} that can be enabled")
            return first in ENABLED
        if name in {"streq", "strneq"}:
            return (first == arguments[1]) == (name == "streq")
        if name == "ssllib_name_startswith":
            return TLS_LIBRARY.startswith(first)
        ours = TLS_VERSION if name.startswith("openssl") else VERSION
        return (ours >= _version(first)) == name.endswith("atleast")


def _version(text: str) -> tuple[int, ...]:
    numbers = [int(one[:9]) for one in re.findall("[0-9]+", text.partition("-")[0])][:4]
    return tuple(numbers + [0] * (4 - len(numbers)))
