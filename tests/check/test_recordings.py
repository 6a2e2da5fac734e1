"""Clusters that were run for real: two masters were recorded where an error is found, and nowhere else."""

from __future__ import annotations

from pathlib import Path

from vrrp.check.inputs import read_inputs
from vrrp.check.lint import lint
from vrrp.check.static import CHECKS

ERRORS = {
    "advint_mismatch_v2": {"VRRP-E042"},
    "auth_mismatch": {"VRRP-E044"},
    "auth_one_side": {"VRRP-E044"},
    "owner_255_both": {"VRRP-E061"},
    "owner_255_two_masters": {"VRRP-E061"},
    "version_mismatch": {"VRRP-E043"},
}
WARNINGS = {
    "auth_pass_long": {"VRRP-W002"},
    "auth_v3": {"VRRP-W016"},
    "equal_prio": {"VRRP-W060"},
    "equal_prio_unordered_start": {"VRRP-W060"},
    "nopreempt_state_master": {"VRRP-W014"},
    "seed_k8s_backup": {"VRRP-W002", "VRRP-W012", "VRRP-W075"},
    "state_master_start": {"VRRP-W062"},
    "v2_adv_fraction": {"VRRP-W017"},
    "weight_neg_3_10_2": {"VRRP-W075"},
}
# Scripts of a laboratory, and lines that were measured because they are wrong.
BESIDE = ("W001", "W004", "W027")


def test_what_was_recorded_is_found(shared: Path) -> None:
    recorded = sorted((shared / "recordings" / "keepalived").iterdir())
    folders = [folder for folder in recorded if list(folder.glob("*.conf"))]
    assert ERRORS.keys() | WARNINGS.keys() <= {folder.name for folder in folders}
    for folder in folders:
        found = lint(read_inputs(sorted(folder.glob("*.conf"))).clusters(), checks=CHECKS, ignore=BESIDE)
        assert {one.rule for one in found if one.severity.value == "error"} == ERRORS.get(folder.name, set()), folder
        warnings = {one.rule for one in found if one.severity.value == "warning"}
        assert warnings == WARNINGS.get(folder.name, set()), folder
