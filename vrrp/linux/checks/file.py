"""FILE_CHECK: what a track_file says."""

from __future__ import annotations

from vrrp.config.lvs.model import FileCheck
from vrrp.linux.checks.connection import UnaskedError
from vrrp.linux.track_files import read_number
from vrrp.lvs.phrases import Outcome
from vrrp.lvs.target import Target

_LOWEST, _HIGHEST = -253, 253


async def check_file(target: Target, checker: FileCheck) -> Outcome:
    """Read it once; UnaskedError for a number that no int holds, which leaves all as it is.

    With weight 0, any other number than 0 means down; otherwise the product is added to the real server's weight.
    """
    assert target.file is not None  # the configuration knows no other
    number = read_number(target.file.path)
    if number is None:
        raise UnaskedError(0, f"{target.file.path}: no number")
    weight = target.file.weight if checker.weight is None else checker.weight
    said = f"{target.file.name} says {number}"
    if not weight:
        return Outcome((number == 0) is not checker.reverse, said)
    added = number * weight * (-1 if checker.reverse else 1)
    if added < _LOWEST:
        return Outcome(False, said)
    return Outcome(True, said, max(0, target.weight + min(added, _HIGHEST)))
