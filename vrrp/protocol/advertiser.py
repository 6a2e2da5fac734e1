"""What a virtual router says: its advertisements, as its configuration and its profile have them."""

from __future__ import annotations

from vrrp.protocol.profile import Profile
from vrrp.protocol.settings import VirtualRouterConfig
from vrrp.wire.advertisement import Advertisement
from vrrp.wire.checksum import ChecksumForm, ChecksumPolicy


class Advertiser:
    """`interval_cs` is what its advertisements state, `policy` which sums it takes in version 3 over IPv4."""

    __slots__ = ("_config", "_form", "interval_cs", "policy")

    def __init__(self, config: VirtualRouterConfig, profile: Profile) -> None:
        self._config = config
        self.policy = config.checksum if config.checksum is not None else profile.checksum_policy
        form = profile.checksum_form
        if config.checksum is ChecksumPolicy.PLAIN:
            form = ChecksumForm.PLAIN
        elif config.checksum is ChecksumPolicy.PSEUDO_HEADER:
            form = ChecksumForm.PSEUDO_HEADER
        self._form = form if config.version == 3 else ChecksumForm.PLAIN
        self.interval_cs = config.interval_cs
        if config.version == 2:
            self.interval_cs = max(config.interval_cs // 100, 1) * 100

    def say(self, priority: int) -> Advertisement:
        """Its advertisement at this priority; 0 is the good-bye."""
        config = self._config
        return Advertisement(
            version=config.version,
            vrid=config.vrid,
            priority=priority,
            interval_cs=self.interval_cs,
            addresses=config.addresses,
            auth_type=config.auth_type,
            auth_data=config.auth_data,
            checksum_form=self._form,
        )
