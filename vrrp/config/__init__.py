"""keepalived.conf -> typed model and diagnostics."""

from vrrp.config.diagnostics import Diagnostic, Severity, Verdict, Voice
from vrrp.config.host import Host
from vrrp.config.keepalived import load, parse
from vrrp.config.model import (
    Authentication,
    GlobalDefs,
    KeepalivedConfig,
    Option,
    OtherBlock,
    ParsedConfig,
    SyncGroup,
    TrackedInterface,
    TrackedScript,
    VirtualAddress,
    VrrpInstance,
    VrrpScript,
)

__all__ = [
    "Authentication",
    "Diagnostic",
    "GlobalDefs",
    "Host",
    "KeepalivedConfig",
    "Option",
    "OtherBlock",
    "ParsedConfig",
    "Severity",
    "SyncGroup",
    "TrackedInterface",
    "TrackedScript",
    "Verdict",
    "VirtualAddress",
    "Voice",
    "VrrpInstance",
    "VrrpScript",
    "load",
    "parse",
]
