"""Whose MAC addresses tcpdump 4.99.3 names without -n: asked for all 16.7 million prefixes, it knew these."""

OUIS = {
    bytes.fromhex(prefix): name
    for prefix, name in (
        ("000000", "Ethernet"),
        ("00000c", "Cisco"),
        ("00005e", "IANA"),
        ("000081", "Nortel Networks SONMP"),
        ("0000f8", "Cisco bridged"),
        ("00049f", "Freescale"),
        ("0004ea", "HP-Labs"),
        ("001018", "Broadcom"),
        ("00120f", "IEEE 802.3 Private"),
        ("0012bb", "ANSI/TIA"),
        ("0015ad", "Netronome"),
        ("001b21", "DCBX"),
        ("002320", "Nicira Networks"),
        ("002481", "HP"),
        ("0080c2", "Ethernet bridged"),
        ("009069", "Juniper"),
        ("00a03e", "ATM Forum"),
        ("00e004", "PMC-Sierra"),
        ("00e02f", "DOCSIS Spanning Tree"),
        ("080007", "Appletalk"),
        ("080009", "Hewlett-Packard"),
        ("5c16c7", "Big Switch Networks"),
        ("748771", "Infoblox Inc"),
        ("a42305", "Open Networking Lab"),
        ("b0d2f5", "Vello Systems"),
        ("d0f0db", "Ericsson"),
    )
}
"""The first three bytes -> the name; "Unknown" for all others."""
