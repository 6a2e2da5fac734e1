"""The filter that the kernel applies to a live capture: classic BPF, put together from a table of tests.

What `vrrp dump` prints and `vrrp audit` wants passes: VRRP and its Authentication Header over IPv4, VRRP over IPv6,
ARP, neighbor advertisements, HSRP, IGMP; each below no VLAN tag, one or two. (A tag that the network card took off is
not in the frame any more, so such a frame passes as an untagged one.)
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from vrrp.capture.text.selection import ATM, FRAME_RELAY, HSRP_PORTS

_LOAD_HALF, _LOAD_BYTE, _LOAD_HALF_INDEXED, _LOAD_HEADER_LENGTH = 0x28, 0x30, 0x48, 0xB1
_JUMP_EQUAL, _JUMP_SET, _RETURN = 0x15, 0x45, 0x06
ACCEPT = 262_144
"""What the filter returns for a packet that passes: how much of it is wanted."""
_IPV4, _ARP, _IPV6 = 0x0800, 0x0806, 0x86DD
TAGS = (0x8100, 0x88A8, 0x9100)
_MOST_TAGS = 2
_FRAGMENT = 0x1FFF


@dataclass(frozen=True, slots=True)
class Instruction:
    """One step; the jumps are labels until the program is put together."""

    code: int
    value: int
    yes: str = ""
    no: str = ""
    label: str = ""


def instructions() -> list[Instruction]:
    """The program with its labels: one block for each depth of tags, "take" and "drop" at its end."""
    program: list[Instruction] = []
    for depth in range(_MOST_TAGS + 1):
        program += _below(14 + 4 * depth, depth)
    program.append(Instruction(_RETURN, ACCEPT, label="take"))
    program.append(Instruction(_RETURN, 0, label="drop"))
    return program


def _below(at: int, depth: int) -> list[Instruction]:
    """What an EtherType at `at` - 2 and the packet behind it may be."""
    here = f"tags{depth}"
    deeper = f"tags{depth + 1}" if depth < _MOST_TAGS else "drop"
    block = [
        Instruction(_LOAD_HALF, at - 2, label=here),
        Instruction(_JUMP_EQUAL, _ARP, yes=f"{here}.arp"),
        Instruction(_JUMP_EQUAL, _IPV4, yes=f"{here}.v4"),
        Instruction(_JUMP_EQUAL, _IPV6, yes=f"{here}.v6"),
    ]
    block += [Instruction(_JUMP_EQUAL, tag, yes=deeper) for tag in TAGS]
    block[-1] = Instruction(_JUMP_EQUAL, TAGS[-1], yes=deeper, no="drop")
    block += [
        Instruction(_LOAD_HALF, at, label=f"{here}.arp"),
        Instruction(_JUMP_EQUAL, FRAME_RELAY, yes="drop"),
        Instruction(_JUMP_EQUAL, ATM, yes="drop", no="take"),
        Instruction(_LOAD_BYTE, at + 9, label=f"{here}.v4"),
    ]
    block += [Instruction(_JUMP_EQUAL, protocol, yes="take") for protocol in (112, 51, 2)]
    block += [
        Instruction(_JUMP_EQUAL, 17, no="drop"),
        Instruction(_LOAD_HALF, at + 6),
        Instruction(_JUMP_SET, _FRAGMENT, yes="drop"),
        Instruction(_LOAD_HEADER_LENGTH, at),
        *_hsrp(_LOAD_HALF_INDEXED, at, f"{here}.udp4"),
        Instruction(_LOAD_BYTE, at + 6, label=f"{here}.v6"),
        Instruction(_JUMP_EQUAL, 112, yes="take"),
        Instruction(_JUMP_EQUAL, 17, yes=f"{here}.udp6"),
        Instruction(_JUMP_EQUAL, 58, no="drop"),
        Instruction(_LOAD_BYTE, at + 40),
        Instruction(_JUMP_EQUAL, 136, yes="take", no="drop"),
        *_hsrp(_LOAD_HALF, at + 40, f"{here}.udp6"),
    ]
    return block


def _hsrp(load: int, at: int, here: str) -> list[Instruction]:
    """From one of HSRP's ports to the same."""
    ports = [f"{here}.{port}" for port in HSRP_PORTS]
    block = [Instruction(load, at, label=here)]
    block += [Instruction(_JUMP_EQUAL, port, yes=label) for port, label in zip(HSRP_PORTS, ports, strict=True)]
    block[-1] = Instruction(_JUMP_EQUAL, HSRP_PORTS[-1], yes=ports[-1], no="drop")
    for port, label in zip(HSRP_PORTS, ports, strict=True):
        block.append(Instruction(load, at + 2, label=label))
        block.append(Instruction(_JUMP_EQUAL, port, yes="take", no="drop"))
    return block


def assemble(program: list[Instruction]) -> bytes:
    """The program as the kernel reads it: 8 bytes for each instruction, jumps as distances."""
    places = {step.label: place for place, step in enumerate(program) if step.label}
    parts = []
    for place, step in enumerate(program):
        yes, no = (places[label] - place - 1 if label else 0 for label in (step.yes, step.no))
        parts.append(struct.pack("=HBBI", step.code, yes, no, step.value))
    return b"".join(parts)


def passes(program: bytes, frame: bytes) -> bool:
    """What the kernel would decide about a frame: the same program, interpreted here."""
    steps = list(struct.iter_unpack("=HBBI", program))
    accumulator = index = place = 0
    while True:
        code, yes, no, value = steps[place]
        place += 1
        if code == _RETURN:
            return bool(value)
        if code in {_JUMP_EQUAL, _JUMP_SET}:
            place += yes if (accumulator == value if code == _JUMP_EQUAL else accumulator & value) else no
            continue
        at = value + (index if code == _LOAD_HALF_INDEXED else 0)
        size = 1 if code in {_LOAD_BYTE, _LOAD_HEADER_LENGTH} else 2
        loaded = frame[at : at + size]
        if len(loaded) < size:
            return False  # a load past the end drops the packet
        if code == _LOAD_HEADER_LENGTH:
            index = (loaded[0] & 15) * 4
        else:
            accumulator = int.from_bytes(loaded, "big")
