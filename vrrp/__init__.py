"""VRRP: wire formats, protocol core, configuration reader. The simulator is the package `sim`."""

from vrrp.protocol.counters import Counters
from vrrp.protocol.effects import (
    AcquireAddresses,
    Announce,
    Effect,
    KillScript,
    PriorityChanged,
    ReleaseAddresses,
    RunScript,
    SendAdvertisement,
    StateChanged,
)
from vrrp.protocol.profile import FRR, KEEPALIVED, PROFILES, RFC3768, RFC5798, RFC9568, Profile, profile_named
from vrrp.protocol.router import Router
from vrrp.protocol.settings import (
    Announcements,
    FileConfig,
    LinkDelays,
    PeerTtl,
    ProcessConfig,
    RouterConfig,
    ScriptConfig,
    SyncGroupConfig,
    TrackedFile,
    TrackedInterface,
    TrackedProcess,
    TrackedScript,
    VirtualRouterConfig,
)
from vrrp.protocol.state import State
from vrrp.protocol.timers import master_down_ns, skew_ns
from vrrp.protocol.validation import Discard
from vrrp.protocol.virtual_router import VirtualRouter
from vrrp.wire.advertisement import Advertisement, decode, encode
from vrrp.wire.checksum import ChecksumForm, ChecksumPolicy
from vrrp.wire.dpkt_types import register_dpkt
from vrrp.wire.errors import DecodeError, DecodeReason
from vrrp.wire.frame import Datagram

__version__ = "0.1.0"

__all__ = [
    "FRR",
    "KEEPALIVED",
    "PROFILES",
    "RFC3768",
    "RFC5798",
    "RFC9568",
    "AcquireAddresses",
    "Advertisement",
    "Announce",
    "Announcements",
    "ChecksumForm",
    "ChecksumPolicy",
    "Counters",
    "Datagram",
    "DecodeError",
    "DecodeReason",
    "Discard",
    "Effect",
    "FileConfig",
    "KillScript",
    "LinkDelays",
    "PeerTtl",
    "PriorityChanged",
    "ProcessConfig",
    "Profile",
    "ReleaseAddresses",
    "Router",
    "RouterConfig",
    "RunScript",
    "ScriptConfig",
    "SendAdvertisement",
    "State",
    "StateChanged",
    "SyncGroupConfig",
    "TrackedFile",
    "TrackedInterface",
    "TrackedProcess",
    "TrackedScript",
    "VirtualRouter",
    "VirtualRouterConfig",
    "decode",
    "encode",
    "master_down_ns",
    "profile_named",
    "register_dpkt",
    "skew_ns",
]
