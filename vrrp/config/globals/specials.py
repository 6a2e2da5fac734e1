"""The keywords of global_defs whose arguments are several, or of their own grammar; all but one only for the kernel.

Each reader takes the line and what the block has so far, and says what keepalived 2.2.7 says (measured).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from vrrp.config.diagnostics import Report, missing_parameter
from vrrp.config.host import Host
from vrrp.config.kinds import IGNORED, Value
from vrrp.config.tree import Statement
from vrrp.config.values import LONGEST_US, UNSIGNED_MAX, address, decimal_us, octets, whole

Values = dict[str, Value]

_LONGEST_INTERFACE = 15
_LONGEST_TABLE = 255
_LONGEST_SOCKET = 107
_LONGEST_GARP_INTERVAL_S = 86400
_LONGEST_TIMEOUT_S = 31 * 86400
_MOST_UMASK = 0o777
_UMASK_BITS = frozenset(f"I{right}{whose}" for right in "RWX" for whose in ("USR", "GRP", "OTH"))
_INCLUDE_CHECKS = frozenset({"brace_match", "match", "missing", "wildcard_match"})
_LVS_SYNC_NUMBERS = {"maxlen": (1, 65507), "port": (1, 65535), "ttl": (1, 255)}
# What a numeric address may be short for, as inet_aton reads it.
_NUMERIC_HOST = re.compile(r"(?:0x[0-9a-fA-F]+|[0-9]+)(?:\.(?:0x[0-9a-fA-F]+|[0-9]+)){0,3}", re.ASCII)


def cpu_affinity(statement: Statement, values: Values, report: Report, host: Host) -> None:
    """vrrp_cpu_affinity and its like: numbers of processors, up to the first that is none."""
    process = statement.keyword.partition("_")[0]
    if not statement.arguments:
        report.warning(statement.line, f"No {process} cpu_id set specified", IGNORED)
    for text in statement.arguments:
        number = whole(text, -(2**31), 2**31 - 1)
        complaint = number.complaint
        if not complaint and not 0 <= number.read < host.processors():
            complaint = f"number '{text}' outside range [0, {host.processors() - 1}]"
        if complaint:
            report.warning(
                statement.line,
                f"{complaint}: Invalid cpu_id:{number.read} specified for {process} process",
                "keepalived takes the processors before it",
            )
            return
    values[statement.keyword] = " ".join(statement.arguments)


def realtime_priority(statement: Statement, values: Values, report: Report, _host: Host) -> None:
    """vrrp_rt_priority and its like, which are cut to their range."""
    process = statement.keyword.partition("_")[0]
    if not statement.arguments:
        report.warning(statement.line, f"No {process} process real-time priority specified", IGNORED)
        return
    text = statement.arguments[0]
    number = whole(text, -(2**31), 2**31 - 1)
    about = f"{process} process real-time priority"
    if number.complaint:
        report.warning(statement.line, f"{number.complaint}: {about} '{text}' invalid", IGNORED)
        return
    priority = min(max(number.read, 1), 99)
    values[statement.keyword] = priority
    if number.read != priority:
        extreme = "less than minimum" if priority == 1 else "greater than maximum"
        end = "minimum" if priority == 1 else "maximum"
        message = f"{about} {number.read} {extreme} {priority} - setting to {end}"
        report.warning(statement.line, message, f"keepalived uses {priority}")


def garp_extra_interfaces(statement: Statement, values: Values, report: Report, _host: Host) -> None:
    """vrrp_garp_extra_if [all] SECONDS, and its old name."""
    extra_interfaces_interval(statement, values, report, "", "vrrp_garp_extra_if", 1)


def extra_interfaces_interval(
    statement: Statement, values: Values, report: Report, owner: str, keyword: str, shortest_s: int
) -> None:
    """[all] SECONDS, which instances have as well.

    Args:
        statement: the line.
        values: takes the seconds.
        report: takes the diagnostics.
        owner: what keepalived puts before its complaints.
        keyword: the keyword's present name.
        shortest_s: the shortest time that it takes.
    """
    if statement.keyword != keyword:
        report.warning(
            statement.line,
            f'Keyword "{statement.keyword}" is deprecated - please use "{keyword}"',
            "keepalived follows it all the same",
        )
    words = statement.arguments[1:] if statement.arguments[:1] == ("all",) else statement.arguments
    if not words:
        report.warning(statement.line, f"{owner}{statement.keyword} specified without time - ignoring", IGNORED)
    for text in words:
        number = whole(text, shortest_s, _LONGEST_GARP_INTERVAL_S)
        if number.complaint:
            complaint = f"{number.complaint}: {owner}{statement.keyword} '{text}' invalid - ignoring"
            report.warning(statement.line, complaint, IGNORED)
            return
        values[keyword] = number.read


def dynamic_interfaces(statement: Statement, values: Values, report: Report, _host: Host) -> None:
    """dynamic_interfaces [allow_if_changes]."""
    values[statement.keyword] = True
    if statement.arguments and statement.arguments[0] != "allow_if_changes":
        message = f"Unknown dynamic_interfaces option '{statement.arguments[0]}'"
        report.warning(statement.line, message, "keepalived ignores the word")


def include_check(statement: Statement, values: Values, report: Report, _host: Host) -> None:
    """include_check with what is to be an error in an include; + and - in front add and remove."""
    seen: set[str] = set()
    unknown = False
    for word in statement.arguments:
        name = word[1:] if word[:1] in {"+", "-"} else word
        if name != word:
            unknown = False
            seen.clear()
        if unknown or seen:
            report.warning(statement.line, f"Duplicate include_check '{name}' specified - ignoring", IGNORED)
        elif name not in _INCLUDE_CHECKS:
            unknown = True
            report.warning(statement.line, f"Unknown include_check type '{name}' - ignoring", IGNORED)
        else:
            seen.add(name)
            values[statement.keyword] = name


def flush_on_stop(statement: Statement, values: Values, report: Report, _host: Host) -> None:
    """lvs_flush_on_stop [VS]."""
    if statement.arguments and statement.arguments[0] != "VS":
        report.warning(statement.line, f"Unknown lvs_flush_on_stop type {statement.arguments[0]}", IGNORED)
        return
    values["lvs_flush_on_stop"] = True


def lvs_sync_daemon(statement: Statement, values: Values, report: Report, _host: Host) -> None:
    """lvs_sync_daemon INTERFACE [[inst] INSTANCE] [id N] [maxlen N] [port N] [ttl N] [group ADDRESS].

    The INSTANCE without `inst` stands first, and what follows it once was the id.
    """
    if not statement.arguments:
        report.warning(statement.line, "lvs_sync_daemon requires interface", IGNORED)
        return
    if statement.keyword in values:
        message = f"lvs_sync_daemon has already been specified as {values[statement.keyword]} - ignoring"
        report.warning(statement.line, message, "keepalived uses the first")
        return
    interface, *words = statement.arguments
    if len(octets(interface)) > _LONGEST_INTERFACE:
        message = f"lvs_sync_daemon interface name '{interface}' too long - ignoring"
        report.warning(statement.line, message, IGNORED)
        return
    known = _LVS_SYNC_OPTIONS.keys() | {"inst"}
    instance = words.pop(0) if words and words[0] not in known else ""
    if instance and words and words[0] not in known:
        report.warning(statement.line, _old_sync_id(words.pop(0)), "keepalived ignores it")
    rest = iter(words)
    for word in rest:
        value = next(rest, None) if word in known else None
        message = ""
        if word not in known:
            message = f"Unknown option {word} specified for lvs_sync_daemon"
        elif word != "inst":
            message = _LVS_SYNC_OPTIONS[word](word, value)
        elif value is None:
            position = len(statement.words) + 1
            report.stop(statement.line, missing_parameter(statement.keyword, word, position))
        elif instance:
            message = f"lvs_sync_daemon vrrp instance has already been specified as {instance} - ignoring"
        else:
            instance = value
        if message:
            report.warning(statement.line, message, "keepalived ignores it")
    values[statement.keyword] = f"{interface} {instance}"


def _old_sync_id(word: str) -> str:
    number = whole(word, 0, 255)
    if number.complaint:
        return f"{number.complaint}: Invalid syncid ({word}) - defaulting to vrid"
    return 'Please use keyword "id" before lvs_sync_daemon SYNCID'


def _sync_id(_word: str, value: str | None) -> str:
    if value is None:
        return "No value specified for lvs_sync_daemon id, defaulting to vrid"
    number = whole(value, 0, 255)
    return f"{number.complaint}: Invalid syncid ({value}) - defaulting to vrid" if number.complaint else ""


def _sync_number(word: str, value: str | None) -> str:
    if value is None:
        return f"No value specified for lvs_sync_daemon {word} - ignoring"
    number = whole(value, *_LVS_SYNC_NUMBERS[word])
    return f"{number.complaint}: Invalid lvs_sync_daemon {word} ({value}) - ignoring" if number.complaint else ""


def _sync_group(_word: str, value: str | None) -> str:
    if value is None:
        return "No value specified for lvs_sync_daemon group - ignoring"
    group = address(value)
    if group is None:
        return f"Invalid lvs_sync_daemon group ({value}) - ignoring"
    return "" if group.is_multicast else f"lvs_sync_daemon group address {value} is not multicast - ignoring"


_LVS_SYNC_OPTIONS: Mapping[str, Callable[[str, str | None], str]] = {
    "group": _sync_group,
    "id": _sync_id,
    "maxlen": _sync_number,
    "port": _sync_number,
    "ttl": _sync_number,
}


def lvs_timeouts(statement: Statement, values: Values, report: Report, _host: Host) -> None:
    """lvs_timeouts [tcp N] [tcpfin N] [udp N]."""
    if len(statement.arguments) < 2:
        report.warning(statement.line, "lvs_timeouts requires at least one option", IGNORED)
        return
    words = iter(statement.arguments)
    for word in words:
        if word not in {"tcp", "tcpfin", "udp"}:
            message = f"Unknown option {word} specified for lvs_timeouts"
        elif (value := next(words, None)) is None:
            message = f"No value specified for lvs_timeout {word} - ignoring"
        else:
            number = whole(value, 0, _LONGEST_TIMEOUT_S)
            if not number.complaint:
                continue
            message = f"{number.complaint}: Invalid lvs_timeout {word} ({value}) - ignoring"
        report.warning(statement.line, message, "keepalived ignores it")
    values[statement.keyword] = " ".join(statement.arguments)


def nftables(statement: Statement, values: Values, report: Report, _host: Host) -> None:
    """Nftables [TABLE] and nftables_ipvs [TABLE]."""
    about = statement.keyword.replace("nftables_ipvs", "ipvs nftables")
    if statement.keyword in values:
        report.warning(statement.line, f"{about} already specified - ignoring", "keepalived uses the first")
    elif statement.arguments and len(octets(statement.arguments[0])) > _LONGEST_TABLE:
        report.warning(statement.line, f"{about} table name too long - ignoring", IGNORED)
    else:
        values[statement.keyword] = " ".join(statement.arguments[:1])


def iptables(statement: Statement, values: Values, report: Report, _host: Host) -> None:
    """vrrp_iptables: Debian's keepalived is built without it."""
    report.warning(
        statement.line,
        "iptables not supported, using nftables instead. Please replace 'vrrp_iptables and 'vrrp_ipsets' with"
        " 'nftables' config option",
        "keepalived uses nftables",
    )
    values[statement.keyword] = True
    values.setdefault("nftables", "")


def receive_buffers_policy(statement: Statement, values: Values, report: Report, _host: Host) -> None:
    """vrrp_rx_bufs_policy MTU|ADVERT|SIZE."""
    keyword = statement.keyword
    if not statement.arguments:
        report.warning(statement.line, f"{keyword} missing", IGNORED)
        return
    sizes = [text for text in statement.arguments if text not in {"ADVERT", "MTU"}]
    # keepalived reads the number in the first place, wherever the word stands that made it look.
    number = whole(statement.arguments[0], 0, UNSIGNED_MAX)
    for position, text in enumerate(sizes):
        if number.complaint:
            complaint = f"{number.complaint}: " if position == 0 else ""
            report.warning(statement.line, f"{complaint}Invalid {keyword} {text}", IGNORED)
    policies = {text for text in statement.arguments if text in {"ADVERT", "MTU"}}
    size = bool(sizes) and not number.complaint
    known = set(str(values.get(keyword, "")).split())
    known |= policies | ({"SIZE"} if size else set())
    values[keyword] = " ".join(sorted(known))
    if "SIZE" in known and len(known) > 1:
        message = f"Cannot set {keyword} size and policy, ignoring policy"
        report.warning(statement.line, message, "keepalived uses the size")
    elif len(known) > 1:
        message = f"Cannot set both {keyword} MTU and ADVERT, ignoring ADVERT"
        report.warning(statement.line, message, "keepalived uses MTU")


def receive_buffers_multiplier(statement: Statement, values: Values, report: Report, _host: Host) -> None:
    """vrrp_rx_bufs_multiplier N, and nothing behind it."""
    if len(statement.arguments) != 1:
        report.warning(statement.line, f"Invalid {statement.keyword}", IGNORED)
        return
    number = whole(statement.arguments[0], 1, UNSIGNED_MAX)
    if number.complaint:
        message = f"{number.complaint}: Invalid {statement.keyword} {statement.arguments[0]}"
        report.warning(statement.line, message, IGNORED)
    else:
        values[statement.keyword] = number.read


def reload_time_file(statement: Statement, values: Values, report: Report, _host: Host) -> None:
    """reload_time_file PATH, and nothing behind it."""
    if len(statement.arguments) != 1:
        report.warning(statement.line, "reload_time_file invalid", IGNORED)
    else:
        values[statement.keyword] = statement.arguments[0]


def smtp_server(statement: Statement, values: Values, report: Report, host: Host) -> None:
    """smtp_server ADDRESS|NAME [PORT]; a name is looked up, which is not done here."""
    if not statement.arguments:
        report.stop(statement.line, missing_parameter(statement.keyword))
        return
    name, port = (*statement.arguments, "25")[:2]
    number = whole(port, 1, 65535)
    if number.complaint:
        report.warning(statement.line, f"{number.complaint}: Invalid smtp server {name} {port}", "no mail is sent")
    elif address(name) is None and not _NUMERIC_HOST.fullmatch(name) and not host.resolves(name):
        report.warning(statement.line, f"Invalid smtp server {name} {port}", "no mail is sent")
    else:
        values[statement.keyword] = f"{name} {port}"


def snmp_socket(statement: Statement, values: Values, report: Report, _host: Host) -> None:
    """snmp_socket NAME, and nothing behind it."""
    if len(statement.arguments) > 1:
        message = "Too many parameters specified for snmp_socket - ignoring"
    elif not statement.arguments:
        message = "SNMP error : snmp socket name missing"
    elif statement.keyword in values:
        message = f"SNMP socket already set to {values[statement.keyword]} - ignoring"
    else:
        values[statement.keyword] = statement.arguments[0]
        return
    report.warning(statement.line, message, IGNORED)


def umask(statement: Statement, values: Values, report: Report, _host: Host) -> None:
    """Umask NUMBER, or names of bits with | between them."""
    if not statement.arguments:
        report.stop(statement.line, missing_parameter(statement.keyword))
        return
    text, *more = statement.arguments
    message = ""
    if text[:1].isdigit():
        found = re.fullmatch(r"0[xX][0-9a-fA-F]{1,9}|0[0-7]{0,12}|[1-9][0-9]{0,9}", text, re.ASCII)
        number = int(text, 8 if re.fullmatch("0[0-7]+", text) else 0) if found else _MOST_UMASK + 1
        if more:
            message = "Extra parameter(s) to umask option"
        elif number > _MOST_UMASK:
            message = f"invalid umask value {text}"
    else:
        message = _umask_bits(statement.arguments)
    if message:
        report.warning(statement.line, message, IGNORED)
    else:
        values[statement.keyword] = " ".join(statement.arguments)


def _umask_bits(words: tuple[str, ...]) -> str:
    """What keepalived says of the names of bits, or ""."""
    between = True
    for word in words:
        rest = word
        if not between:
            if not rest.startswith("|"):
                return f"Invalid umask syntax {rest}"
            rest = rest[1:]
            between = True
            if not rest:
                continue
        while rest:
            bit, bar, behind = rest.partition("|")
            if bit not in _UMASK_BITS:
                return f"Unknown umask bit {rest}"
            between = bool(bar)
            rest = behind
    return "umask missing bit value" if between else ""


def delay_after_boot(statement: Statement, values: Values, report: Report, _host: Host) -> None:
    """vrrp_delay_after_boot SECONDS, which 2.2.7 does not know: what is wrong with its value, only we say."""
    number = decimal_us(statement.arguments[0] if statement.arguments else "", 1000, LONGEST_US)
    if number.complaint:
        report.note(statement.line, number.complaint, "seconds from 0.001 on would be right; the line is ignored")
    elif number.value is not None:
        values[statement.keyword] = number.value


SPECIAL_KEYWORDS: Mapping[str, Callable[[Statement, Values, Report, Host], None]] = {
    **dict.fromkeys(("bfd_cpu_affinity", "checker_cpu_affinity", "vrrp_cpu_affinity"), cpu_affinity),
    **dict.fromkeys(("bfd_rt_priority", "checker_rt_priority", "vrrp_rt_priority"), realtime_priority),
    **dict.fromkeys(("vrrp_garp_extra_if", "vrrp_vmac_garp_intvl"), garp_extra_interfaces),
    **dict.fromkeys(("lvs_flush_on_stop", "lvs_flush_onstop"), flush_on_stop),
    **dict.fromkeys(("nftables", "nftables_ipvs"), nftables),
    "dynamic_interfaces": dynamic_interfaces,
    "include_check": include_check,
    "lvs_sync_daemon": lvs_sync_daemon,
    "lvs_timeouts": lvs_timeouts,
    "reload_time_file": reload_time_file,
    "smtp_server": smtp_server,
    "snmp_socket": snmp_socket,
    "umask": umask,
    "vrrp_delay_after_boot": delay_after_boot,
    "vrrp_iptables": iptables,
    "vrrp_rx_bufs_multiplier": receive_buffers_multiplier,
    "vrrp_rx_bufs_policy": receive_buffers_policy,
}
