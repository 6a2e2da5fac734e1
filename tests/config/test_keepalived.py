"""Whole files: the seeds, what was recorded, what others wrote, and anything at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.confs import instance, only
from vrrp.config import Severity, Verdict, load, parse
from vrrp.config.grammar import CONTEXTS
from vrrp.config.language.open_files import LARGEST_FILE

CONFS = Path(__file__).parent / "data" / "confs"
SECOND_NS = 1_000_000_000

KEYWORDS = sorted({word for context in CONTEXTS for word in context.keywords()})
VALUES = (*"{}\n", "0", "1", "51", "255", "256", "-254", "0.5", "x", "MASTER", "weight", "reverse", "on", "no", "eth0")
ADDRESSES = (
    "10.0.0.1/24",
    "10.0.0.2",
    "fe80::1",
    "224.0.0.1",
    "ff02::1",
    "PASS",
    "VI_1",
    "chk",
    "G1",
    '"',
    "#",
    "peer",
)
TEXTS = st.lists(st.sampled_from((*KEYWORDS, *VALUES, *ADDRESSES, "\n", "\n", " {\n", "}\n"))).map(" ".join)


@given(st.one_of(st.text(), TEXTS, st.binary().map(lambda raw: raw.decode("latin-1"))))
def test_no_text_raises(text: str) -> None:
    parsed = parse(text, filename="f", environment={"A": "}"})
    last = text.count("\n") + 1
    for one in parsed.diagnostics:
        assert one.file == "f"
        assert 0 <= one.line <= last
        assert re.fullmatch(r"f:\d+: (error|warning|note): [^\n]+; [^\n]+", str(one))
    names = {one.name for one in parsed.config.instances}
    for each in parsed.config.sync_groups:
        assert names >= set(each.members)
    for router in parsed.config.instances:
        assert 1 <= router.vrid <= 255
        assert 1 <= router.priority <= 255
        assert 1 <= router.interval_cs <= 25500
        assert router.version == 3 or router.interval_cs % 100 == 0
        assert {one.name for one in router.track_scripts} <= parsed.config.scripts.keys()


def test_the_kubernetes_node() -> None:
    parsed = load(CONFS / "seed_k8s_backup-r1.conf")
    found = only(parsed)
    assert found.authentication is not None
    assert found.authentication.password == b"P@"
    assert (found.initial_state, found.priority, found.vrid, found.interval_cs) == ("MASTER", 255, 151, 100)
    assert found.track_scripts == ()
    assert not parsed.refused
    assert [(one.line, one.message) for one in parsed.diagnostics] == [
        (6, "SECURITY VIOLATION - scripts are being executed but script_security not enabled."),
        (6, "script check_apiserver is not used"),
        (21, "comment character '#' inside the word 'P@##D321!'"),
        (27, "(VI_1) ignoring tracked script check_apiserver with weights due to address_owner"),
    ]


def test_the_kubernetes_backup() -> None:
    parsed = load(CONFS / "seed_k8s_backup-r2.conf")
    assert only(parsed).priority == 254
    (tracked,) = only(parsed).track_scripts
    assert (tracked.name, tracked.weight) == ("check_apiserver", -2)
    script = parsed.config.scripts["check_apiserver"]
    assert (script.command, script.interval_ns, script.timeout_ns) == (
        "/etc/keepalived/check.sh",
        3 * SECOND_NS,
        3 * SECOND_NS,
    )
    assert (script.rise, script.fall) == (2, 10)


@pytest.mark.parametrize("path", sorted(CONFS.glob("*.conf")), ids=lambda path: path.stem)
def test_recorded_files_say_what_they_meant(path: Path) -> None:
    parsed = load(path)
    if "k8s" not in path.stem:
        assert {one.verdict for one in parsed.diagnostics} <= {Verdict.SCRIPTS_UNSAFE}
    assert parsed.config.filename == str(path)
    assert parsed.config.globals.router_id == "LVS_DEVEL"


def test_recorded_details() -> None:
    groups = load(CONFS / "sync_group-r1.conf").config.sync_groups
    assert [(group.name, group.members, group.line) for group in groups] == [("G1", ("VI_1", "VI_2"), 6)]
    unicast = only(load(CONFS / "unicast_v2-r1.conf"))
    assert (str(unicast.unicast_source), [str(peer) for peer in unicast.unicast_peers]) == ("10.0.0.1", ["10.0.0.2"])
    vmac = only(load(CONFS / "vmac_v3_xmit_base-r1.conf"))
    assert (vmac.version, vmac.use_vmac, vmac.vmac_xmit_base) == (3, True, True)
    mixed = only(load(CONFS / "mixed_vips_excluded-r1.conf"))
    assert [str(each.address) for each in mixed.addresses] == ["10.0.0.100", "10.0.0.101", "10.0.0.99"]
    assert [str(each.address) for each in mixed.excluded_addresses] == ["2001:db8::5", "10.0.0.105"]
    notify = only(load(CONFS / "notify_scripts-r1.conf")).notify
    assert notify["notify_master"] == "/etc/keepalived/notify.sh M"
    assert len(notify) == 6


def test_every_recording_is_read(shared: Path) -> None:
    paths = sorted(shared.glob("recordings/keepalived/*/r*.conf"))
    assert len(paths) > 90
    expected = re.compile(
        r"comment character|is not used|Truncating auth_pass|does not support authentication|garp_interval"
        r"|SECURITY VIOLATION|nopreempt will not work|must be an integer. rounding|due to address_owner"
    )
    for path in paths:
        parsed = load(path)
        assert parsed.config.instances, path
        assert not parsed.refused, path
        assert all(expected.search(one.message) for one in parsed.diagnostics), path


def test_the_seeds(shared: Path) -> None:
    seed = shared / "captures" / "seed"
    k8s = load(seed / "keepalived-k8s.conf")
    assert [one.line for one in k8s.diagnostics] == [6, 6, 21, 27]
    assert all(one.severity is Severity.WARNING for one in k8s.diagnostics)
    names = ("STATE", "INTERFACE", "ROUTER_ID", "PRIORITY", "AUTH_PASS", "APISERVER_VIP")
    empty = load(seed / "keepalived-placeholders.conf")
    assert [one.message for one in empty.diagnostics if "placeholder" in one.message] == [
        f"placeholder ${{{name}}} has no value" for name in names
    ]
    assert empty.refused
    values = ("BACKUP", "ens3", "151", "254", "secret", "10.0.0.162/24")
    filled = load(seed / "keepalived-placeholders.conf", environment=dict(zip(names, values, strict=True)))
    assert filled.verdict is Verdict.SCRIPTS_UNSAFE
    assert len(filled.diagnostics) == 1
    assert (only(filled).interface, only(filled).priority) == ("ens3", 254)


def test_every_text_of_the_captures_is_read(shared: Path) -> None:
    paths = [path for path in sorted((shared / "captures").rglob("*.conf*")) if path.is_file()]
    assert len(paths) > 60
    for path in paths:
        assert load(path).config.filename == str(path)


def test_line_ends_of_windows() -> None:
    text = instance("priority 77")
    windows, unix = parse(text.replace("\n", "\r\n")), parse(text)
    assert (windows.config, windows.diagnostics) == (unix.config, unix.diagnostics)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.conf")


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "latin.conf"
    path.write_bytes(instance("authentication {\nauth_type PASS\nauth_pass caf\xe9\n}").encode("latin-1"))
    parsed = load(str(path))
    (one,) = parsed.diagnostics
    assert str(one) == f"{path}:9: warning: byte 0xe9 is not UTF-8; keepalived reads the bytes as they are"
    found = only(parsed).authentication
    assert found is not None
    assert found.password == b"caf\xe9"


@pytest.mark.parametrize(("size", "read"), [(LARGEST_FILE, True), (LARGEST_FILE + 1, False)])
def test_the_largest_file(tmp_path: Path, size: int, read: bool) -> None:
    path = tmp_path / "large.conf"
    lines = b"vrrp_instance {\n}\n" + (b"#".ljust(1000) + b"\n") * (size // 1001)
    path.write_bytes(lines[:size].ljust(size, b"\n"))
    (one,) = load(path).diagnostics
    assert (one.message == "the file is larger than 16 MiB") == (not read)
    assert one.line == int(read)
