"""`vrrp dump`: packets as tcpdump prints them, of a capture or live."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from vrrp.cli.errors import BadInput, unreadable

if TYPE_CHECKING:
    from vrrp.capture.packet import Batch, Packet
    from vrrp.capture.reader import Capture
    from vrrp.capture.text.selection import Selection

_FILE = click.Path(path_type=Path, allow_dash=True)
_STAMP_KINDS = 6


@click.command()
@click.argument("file", required=False, type=_FILE)
@click.option("-r", "read_file", type=_FILE, help="Read this capture; - is standard input.")
@click.option("-i", "--interface", metavar="IFACE", help="Capture live on this interface.")
@click.option("-n", "numeric", count=True, help="No names for addresses and ports.")
@click.option("-e", "link", is_flag=True, help="The link header too.")
@click.option(
    "-t",
    "stamp",
    count=True,
    help="Time stamps: -t none, -tt seconds, -ttt since the last, -tttt date, -ttttt since the first.",
)
@click.option("-v", "verbose", count=True, help="More: checksums, addresses, passwords; -vv more still.")
@click.option("-q", "quiet", is_flag=True, help="Less.")
@click.option("-x", "hexadecimal", count=True, help="The bytes; -xx with the link header.")
@click.option("-X", "characters", count=True, help="The bytes and their characters; -XX with the link header.")
@click.option("-c", "most", type=click.IntRange(1), metavar="N", help="Stop after N packets.")
@click.option("-#", "--number", "numbered", is_flag=True, help="Number the packets.")
@click.option(
    "-w", "write_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the packets to this pcap file."
)
@click.option("-T", "kind", type=click.Choice(["carp", "vrrp"]), help="Take IP protocol 112 for this.")
@click.option("-l", "line_buffered", is_flag=True, help="Write each line at once.")
@click.option("--nano", is_flag=True, help="Nanoseconds in time stamps.")
@click.option("--follow", metavar="VRID[/ipv4|/ipv6]", help="Only this virtual router, with ARP for its addresses.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each packet, with tshark's field names.")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="On a terminal by default."
)
def command(
    file: Path | None,
    read_file: Path | None,
    interface: str | None,
    numeric: int,
    link: bool,
    stamp: int,
    verbose: int,
    quiet: bool,
    hexadecimal: int,
    characters: int,
    most: int | None,
    numbered: bool,
    write_file: Path | None,
    kind: str | None,
    line_buffered: bool,
    nano: bool,
    follow: str | None,
    as_json: bool,
    color: str,
) -> int:
    """Print the VRRP packets of a capture FILE (pcap or pcapng, gzip too), exactly as tcpdump 4.99.3 does.

    Printed are VRRP over IPv4 and IPv6, also within an Authentication Header, CARP with -T carp, ARP, IPv6 neighbor
    advertisements, and HSRP (from its UDP port to the same), which is not VRRP. Other packets are passed over. Exit
    status 1 when the capture is damaged; what is whole has been printed.
    """
    from vrrp.capture.reader import CaptureError
    from vrrp.capture.text.line import Style
    from vrrp.capture.text.lines import Lines
    from vrrp.capture.text.names import Names
    from vrrp.capture.text.selection import Follow, Selection
    from vrrp.capture.text.stamp import Stamps

    opened, name = _source(file, read_file, interface)
    live = interface is not None
    if stamp >= _STAMP_KINDS:
        raise click.UsageError("-t can be given up to five times")
    selection: Selection = Selection() if follow is None else Follow(*_follow(follow))
    style = Style(Names(numeric=bool(numeric)), link, verbose, quiet, kind == "carp", hexadecimal, characters)
    colored = color == "always" or (color == "auto" and _wants_color())
    lines = Lines(style, Stamps(stamp, nanoseconds=nano), selection, numbered=numbered, most=most)
    try:
        with opened as capture:
            if write_file is not None:
                return _write(capture, write_file, selection, most)
            if as_json:
                from vrrp.capture.tshark import JsonLines

                _print(capture, JsonLines(selection, most), lambda data: data, line_buffered or live)
            else:
                _print(capture, lines, _paint if colored else lambda data: data, line_buffered or live)
            damage = capture.damage
    except CaptureError as error:
        raise BadInput(f"{name}: {error}") from error
    except OSError as error:
        raise unreadable(error, name) from error
    if lines.hsrp:
        click.echo(f"{lines.hsrp} packet{'s' * (lines.hsrp != 1)} of HSRP, which is not VRRP", err=True)
    if damage is not None:
        click.echo(f"vrrp: {name}: {damage}", err=True)
    return int(damage is not None)


def _source(
    file: Path | None, read_file: Path | None, interface: str | None
) -> tuple[AbstractContextManager[Capture], str]:
    given = [source for source in (file, read_file, interface) if source is not None]
    if len(given) != 1:
        raise click.UsageError("name one capture FILE, or an interface with -i")
    if interface is not None:
        from vrrp.linux.live import open_live

        return open_live(interface), interface
    from vrrp.capture.reader import open_capture

    path = file or read_file
    assert path is not None
    return open_capture(path), str(path)


def _follow(text: str) -> tuple[int, int | None]:
    vrid, _, family = text.partition("/")
    widths = {"": None, "ipv4": 4, "ipv6": 16}
    if not vrid.isdecimal() or not 1 <= int(vrid) <= 255 or family not in widths:
        raise click.BadParameter(
            f"{text!r} is no virtual router; 51, 51/ipv4 or 51/ipv6 would be", param_hint="--follow"
        )
    return int(vrid), widths[family]


def _wants_color() -> bool:
    import os

    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class _Writer(Protocol):
    """What turns batches into text."""

    @property
    def done(self) -> bool:
        """Whether nothing more is wanted."""

    def write(self, batch: Batch) -> bytes:
        """The text of a batch."""


def _print(capture: Capture, writer: _Writer, paint: Callable[[bytes], bytes], flush: bool) -> None:
    out = sys.stdout.buffer
    for batch in capture.batches():
        out.write(paint(writer.write(batch)))
        if flush:
            out.flush()
        if writer.done:
            break
    out.flush()


def _write(capture: Capture, path: Path, selection: Selection, most: int | None) -> int:
    """What `tcpdump -w` would write: the same packets with the same link type; nanoseconds where there were any."""
    from vrrp.capture.pcap import open_pcap

    count = 0
    with ExitStack() as stack:
        writer = None
        link_type = None
        for packet in _chosen(capture, selection):
            if writer is None:
                link_type = packet.link_type
                interface = capture.interfaces[packet.interface]
                nanoseconds = interface.ticks_per_second > 1_000_000
                writer = stack.enter_context(
                    open_pcap(path, link_type=link_type, snaplen=interface.snaplen, nanoseconds=nanoseconds)
                )
            if packet.link_type != link_type:
                raise BadInput(f"{path}: packet {packet.number} is of another link type; a pcap file has one")
            writer.write(packet.time_ns, packet.data, packet.length)
            count += 1
            if most is not None and count >= most:
                break
        if writer is None:
            with open_pcap(path):
                pass
    if capture.damage is not None:
        click.echo(f"vrrp: {capture.name}: {capture.damage}", err=True)
    return int(capture.damage is not None)


def _chosen(capture: Capture, selection: Selection) -> Iterator[Packet]:
    return (packet for packet in capture if selection.takes(packet))


_RED, _YELLOW, _DIM, _BOLD, _PLAIN = b"\x1b[31m", b"\x1b[33m", b"\x1b[2m", b"\x1b[1m", b"\x1b[0m"
_MARKS = (
    (b"bad vrrp cksum", _RED),
    (b"bad cksum", _RED),
    (b"[|", _RED),
    (b"(ttl ", _RED),
    (b", prio 0,", _YELLOW),
    (b", prio 255,", _BOLD),
    (b"HSRPv", _DIM),
    (b"ARP, ", _DIM),
    (b"neighbor advertisement", _DIM),
)
"""What makes a line stand out, or step back; the first that it holds."""


def _paint(data: bytes) -> bytes:
    painted = []
    for line in data.splitlines(keepends=True):
        color = next((color for mark, color in _MARKS if mark in line), None)
        painted.append(line if color is None else color + line.rstrip(b"\n") + _PLAIN + b"\n")
    return b"".join(painted)
