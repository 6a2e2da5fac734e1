"""The keywords of virtual_server and what belongs to it, and where each may stand: keepalived 2.2.7, measured."""

from __future__ import annotations

from vrrp.config.context import Context, word_set
from vrrp.config.diagnostics import Report, missing_parameter
from vrrp.config.lvs.endpoints import real_address, virtual_address

_TIMING = word_set("alpha delay_before_retry delay_loop log_all_failures retry warmup")
_CONNECTION = _TIMING | word_set("bind_if bind_port bindto connect_ip connect_port connect_timeout fwmark")

HOST = Context("host", _CONNECTION)

URL = Context(
    "url",
    word_set("""
        digest path regex regex_max_offset regex_min_offset regex_no_match regex_options regex_stack
        status_code virtualhost
        """),
)

_WEB = _CONNECTION | word_set("enable_sni fast_recovery http_protocol nb_get_retry virtualhost")
_NEWER_WEB = {"tls_compliant": "2.2.8"}

CHECKERS = {
    checker.name: checker
    for checker in (
        Context("BFD_CHECK", word_set("alpha name")),
        Context("DNS_CHECK", _CONNECTION | word_set("name type")),
        Context("FILE_CHECK", word_set("track_file weight")),
        Context("HTTP_GET", _WEB, tables={"url": URL}, newer=_NEWER_WEB),
        Context("MISC_CHECK", _TIMING | word_set("misc_dynamic misc_path misc_timeout user")),
        Context("PING_CHECK", _CONNECTION),
        Context("SMTP_CHECK", _CONNECTION | {"helo_name"}, tables={"host": HOST}),
        Context("SSL_GET", _WEB, tables={"url": URL}, newer=_NEWER_WEB),
        Context("TCP_CHECK", _CONNECTION),
        Context("UDP_CHECK", _CONNECTION | word_set("max_reply_length min_reply_length payload require_reply")),
    )
}


def _opens_server(line: int, words: tuple[str, ...], report: Report) -> bool:
    """Whether the block of a virtual_server or real_server is read: not without a good address and port."""
    if len(words) == 1:
        report.stop(line, missing_parameter(words[0]))
        return False
    found = virtual_address(words) if words[0] == "virtual_server" else real_address(words)
    if found.crashes:
        report.die(line, f"{words[0]} {words[1]} without a value", "keepalived 2.2.7 crashes")
    for complaint in found.complaints:
        report.error(line, complaint, "keepalived skips the block")
    return found.address is not None


REAL_SERVER = Context(
    "real_server",
    word_set("""
        alpha connect_timeout delay_before_retry delay_loop inhibit_on_failure lthreshold lvs_method
        notify_down notify_up retry smtp_alert snmp_name uthreshold virtualhost warmup weight
        """),
    tables=CHECKERS,
    opening=_opens_server,
)

VIRTUAL_SERVER = Context(
    "virtual_server",
    word_set("""
        alpha connect_timeout delay_before_retry delay_loop flag-1 flag-2 flag-3 ha_suspend hashed hysteresis
        inhibit_on_failure ip_family lb_algo lb_kind lvs_method lvs_sched mh-fallback mh-port omega ops
        persistence_engine persistence_granularity persistence_timeout protocol quorum quorum_down quorum_up
        retry sh-fallback sh-port smtp_alert snmp_name sorry_server sorry_server_inhibit
        sorry_server_lvs_method virtualhost warmup weight
        """),
    tables={"real_server": REAL_SERVER},
    opening=_opens_server,
)

SSL = Context("SSL", word_set("ca certificate key password"))

LVS_CONTEXTS = (VIRTUAL_SERVER, SSL)
