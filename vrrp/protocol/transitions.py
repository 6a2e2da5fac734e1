"""The transition table: RFC 3768, 5798 and 9568 section 6.4 with keepalived's FAULT and sync groups, as data.

`VirtualRouter` is the code; the tests walk every state and every input of it through this table, which therefore
says what the code does. A pair of state and input that is not listed has no effect. A condition is a phrase for
readers and the name of the situation that the test makes.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from vrrp.protocol.effects import (
    AcquireAddresses,
    Announce,
    Effect,
    PriorityChanged,
    ReleaseAddresses,
    SendAdvertisement,
    StateChanged,
)
from vrrp.protocol.state import State

INITIALIZE, BACKUP, MASTER, FAULT = State


class Input(enum.Enum):
    """Everything that can happen to a virtual router; the value is the method that tells it."""

    START = "start"
    STOP = "stop"
    TIMER = "expire"
    RECEIVE = "receive"
    REFUSE = "refuse"
    PRIORITY = "set_priority"
    FAIL = "fail"
    RECOVER = "recover"
    LEAD = "lead"
    FOLLOW = "follow"
    ADVERTISE = "advertise"
    CARRY_ON = "carry_on"


@dataclass(frozen=True, slots=True)
class Transition:
    """In `state`, on `input`, when `condition` holds: these kinds of effects, then `to`."""

    state: State
    input: Input
    condition: str
    effects: tuple[type[Effect], ...]
    to: State


_UP = (SendAdvertisement, AcquireAddresses, Announce, StateChanged)
_DOWN = (ReleaseAddresses, StateChanged)
_GOODBYE = (SendAdvertisement, *_DOWN)
_MORE = (AcquireAddresses, Announce, SendAdvertisement)
_LESS = (ReleaseAddresses, SendAdvertisement)

TRANSITIONS: tuple[Transition, ...] = (
    Transition(INITIALIZE, Input.START, "owner that starts as master", _UP, MASTER),
    Transition(INITIALIZE, Input.START, "otherwise", (StateChanged,), BACKUP),
    Transition(INITIALIZE, Input.START, "held, profile with FAULT", (StateChanged,), FAULT),
    Transition(INITIALIZE, Input.PRIORITY, "not owner, other value", (PriorityChanged,), INITIALIZE),
    Transition(INITIALIZE, Input.FAIL, "profile with FAULT", (StateChanged,), FAULT),
    Transition(INITIALIZE, Input.RECOVER, "owner that starts as master", _UP, MASTER),
    Transition(INITIALIZE, Input.RECOVER, "otherwise", (StateChanged,), BACKUP),
    Transition(INITIALIZE, Input.CARRY_ON, "after a backup", (), BACKUP),
    Transition(INITIALIZE, Input.CARRY_ON, "after one in FAULT", (), FAULT),
    Transition(INITIALIZE, Input.CARRY_ON, "after a master", (SendAdvertisement,), MASTER),
    Transition(INITIALIZE, Input.CARRY_ON, "after a master of more addresses", _LESS, MASTER),
    Transition(INITIALIZE, Input.CARRY_ON, "after a master of fewer addresses", _MORE, MASTER),
    Transition(INITIALIZE, Input.CARRY_ON, "after a master of others", (ReleaseAddresses, *_MORE), MASTER),
    Transition(BACKUP, Input.STOP, "", (StateChanged,), INITIALIZE),
    Transition(BACKUP, Input.TIMER, "early", (), BACKUP),
    Transition(BACKUP, Input.TIMER, "due", _UP, MASTER),
    Transition(BACKUP, Input.TIMER, "due, sync group not ready", (), BACKUP),
    Transition(BACKUP, Input.RECEIVE, "priority 0: timer is the skew", (), BACKUP),
    Transition(BACKUP, Input.RECEIVE, "equal or higher: timer is Master_Down_Interval", (), BACKUP),
    Transition(BACKUP, Input.RECEIVE, "lower, preempting: timer runs on", (), BACKUP),
    Transition(BACKUP, Input.RECEIVE, "lower, not preempting: timer is Master_Down_Interval", (), BACKUP),
    Transition(BACKUP, Input.REFUSE, "timer runs on", (), BACKUP),
    Transition(BACKUP, Input.PRIORITY, "not owner, other value", (PriorityChanged,), BACKUP),
    Transition(BACKUP, Input.FAIL, "profile with FAULT", (StateChanged,), FAULT),
    Transition(BACKUP, Input.FAIL, "profile without FAULT", (StateChanged,), INITIALIZE),
    Transition(BACKUP, Input.LEAD, "", _UP, MASTER),
    Transition(MASTER, Input.STOP, "", _GOODBYE, INITIALIZE),
    Transition(MASTER, Input.TIMER, "early", (), MASTER),
    Transition(MASTER, Input.TIMER, "due", (SendAdvertisement,), MASTER),
    Transition(MASTER, Input.TIMER, "second announcement due", (Announce,), MASTER),
    Transition(MASTER, Input.RECEIVE, "priority 0", (SendAdvertisement,), MASTER),
    Transition(MASTER, Input.RECEIVE, "higher", _DOWN, BACKUP),
    Transition(MASTER, Input.RECEIVE, "higher, told to advertise once more", _GOODBYE, BACKUP),
    Transition(MASTER, Input.RECEIVE, "equal, higher address", _DOWN, BACKUP),
    Transition(MASTER, Input.RECEIVE, "equal, lower address, reply nothing", (), MASTER),
    Transition(MASTER, Input.RECEIVE, "lower, reply nothing", (), MASTER),
    Transition(MASTER, Input.RECEIVE, "lower, reply advertise", (SendAdvertisement,), MASTER),
    Transition(MASTER, Input.RECEIVE, "lower, reply announce too", (SendAdvertisement, Announce), MASTER),
    Transition(MASTER, Input.RECEIVE, "lower, lower_prio_no_advert", (Announce,), MASTER),
    Transition(MASTER, Input.RECEIVE, "two owners, second yields", _DOWN, BACKUP),
    Transition(MASTER, Input.REFUSE, "timer restarts where the profile says so", (), MASTER),
    Transition(MASTER, Input.PRIORITY, "not owner, other value", (PriorityChanged,), MASTER),
    Transition(MASTER, Input.FAIL, "profile with FAULT", (SendAdvertisement, *_GOODBYE), FAULT),
    Transition(MASTER, Input.FAIL, "taken along by the sync group", _GOODBYE, FAULT),
    Transition(MASTER, Input.FAIL, "profile without FAULT", _GOODBYE, INITIALIZE),
    Transition(MASTER, Input.FOLLOW, "", _DOWN, BACKUP),
    Transition(MASTER, Input.ADVERTISE, "", (SendAdvertisement,), MASTER),
    Transition(FAULT, Input.STOP, "", (StateChanged,), INITIALIZE),
    Transition(FAULT, Input.PRIORITY, "not owner, other value", (PriorityChanged,), FAULT),
    Transition(FAULT, Input.RECOVER, "", (StateChanged,), BACKUP),
    Transition(FAULT, Input.RECOVER, "has unicast peers", (StateChanged, Announce), BACKUP),
    Transition(FAULT, Input.RECOVER, "owner that had only its scripts' first results to wait for", _UP, MASTER),
)
"""Every state and input that does something."""
