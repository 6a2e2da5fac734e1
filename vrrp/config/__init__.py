"""keepalived.conf -> typed model and diagnostics."""

from vrrp.config.diagnostics import Diagnostic, Severity, Verdict, Voice
from vrrp.config.host import Host
from vrrp.config.keepalived import load, parse
from vrrp.config.model import (
    Authentication,
    BfdSession,
    GlobalDefs,
    KeepalivedConfig,
    LinkDelays,
    Option,
    OtherBlock,
    ParsedConfig,
    SyncGroup,
    TrackedBfd,
    TrackedFile,
    TrackedInterface,
    TrackedProcess,
    TrackedScript,
    TrackFile,
    TrackProcess,
    VirtualAddress,
    VrrpInstance,
    VrrpScript,
)
from vrrp.config.writer import write

__all__ = [
    "Authentication",
    "BfdSession",
    "Diagnostic",
    "GlobalDefs",
    "Host",
    "KeepalivedConfig",
    "LinkDelays",
    "Option",
    "OtherBlock",
    "ParsedConfig",
    "Severity",
    "SyncGroup",
    "TrackFile",
    "TrackProcess",
    "TrackedBfd",
    "TrackedFile",
    "TrackedInterface",
    "TrackedProcess",
    "TrackedScript",
    "Verdict",
    "VirtualAddress",
    "Voice",
    "VrrpInstance",
    "VrrpScript",
    "load",
    "parse",
    "write",
]
