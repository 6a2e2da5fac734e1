"""The states of a virtual router."""

from __future__ import annotations

import enum


class State(enum.Enum):
    """RFC 5798 section 6.4's three states and keepalived's FAULT. RFC 9568 calls MASTER *Active*."""

    INITIALIZE = "INITIALIZE"
    BACKUP = "BACKUP"
    MASTER = "MASTER"
    FAULT = "FAULT"
