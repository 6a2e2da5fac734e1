"""The one-line keywords of vrrp_instance that take nothing unusual, and of what kind each is."""

from __future__ import annotations

from collections.abc import Mapping

from vrrp.config.globals.keywords import COUNTERS
from vrrp.config.kinds import Flag, Kind, Seconds, Switch, Whole

LONGEST_INTERVAL_US = 255_000_000
SHORTEST_INTERVAL_US = 10_000
LONGEST_PREEMPT_DELAY_US = 1_000_000_000

_ON_OR_OFF = Switch("({owner}) invalid {keyword} {value} specified")

INSTANCE_KEYWORDS: Mapping[str, Kind] = {
    **COUNTERS,
    **dict.fromkeys(("higher_prio_send_advert", "lower_prio_no_advert", "strict_mode"), _ON_OR_OFF),
    **dict.fromkeys(("dont_track_primary", "promote_secondaries", "track_src_ip", "use_vmac_addr"), Flag()),
    "advert_int": Seconds(
        SHORTEST_INTERVAL_US,
        LONGEST_INTERVAL_US,
        "({owner}) Advert interval ({value}) not valid! Must be > 0 - ignoring",
        whole_only=True,
    ),
    "debug": Whole(0, 4, "({owner}) Debug value '{value}' not valid; must be between 0-4"),
    "notify_priority_changes": Switch("({owner}) Invalid value '{value}' for {keyword} specified"),
    "preempt_delay": Seconds(
        0, LONGEST_PREEMPT_DELAY_US, "({owner}) Preempt_delay not valid! must be between 0-1000", otherwise=0
    ),
    "priority": Whole(
        1, 255, "({owner}) Priority not valid! must be between 1 & 255. Using default 100", otherwise=100
    ),
    "smtp_alert": Switch("Invalid vrrp_instance smtp_alert parameter {value}"),
    "unicast_ttl": Whole(0, 255, "({owner}): TTL '{value}' not valid - must be between 0 & 255", whole_only=True),
    "virtual_router_id": Whole(
        1, 255, "({owner}): VRID '{value}' not valid - must be between 1 & 255", whole_only=True
    ),
}
