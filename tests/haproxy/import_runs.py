"""Recorded runs of the stack into this folder's data: `python -m haproxy.import_runs FOLDER OUT` in tests/.

FOLDER has for each run a NAME.csv with the requests, NAME.events.json, NAME.summary.json and NAME.pcap with the
advertisements and gratuitous ARPs. OUT gets NAME.csv.gz, the requests, and NAME.json, the rest; all times are seconds
since the first event.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vrrp.capture.reader import open_capture
from vrrp.wire.address import text
from vrrp.wire.checksum import ChecksumPolicy
from vrrp.wire.errors import DecodeError
from vrrp.wire.frame import Datagram, decode_datagram, parse_frame

ARP = b"\x08\x06"
COLUMNS = ("kind", "t_start", "t_end", "result", "node")


def import_run(folder: Path, name: str, out: Path) -> None:
    """One run."""
    events = json.loads((folder / f"{name}.events.json").read_text())
    summary = json.loads((folder / f"{name}.summary.json").read_text())
    zero = events[0][0]
    with (folder / f"{name}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in sorted(rows, key=lambda row: (row["kind"], float(row["t_start"]))):
        times = [f"{float(row[key]) - zero:.4f}" for key in ("t_start", "t_end")]
        writer.writerow((row["kind"], *times, row["result"], row["node"]))
    with gzip.GzipFile(out / f"{name}.csv.gz", "wb", mtime=0) as packed:
        packed.write(buffer.getvalue().encode())
    told = {
        "config": summary["config"],
        "marks": [[round(t - zero, 4), what] for t, what in events if not what.startswith("[poll]")],
        "holders": [
            [round(t - zero, 4), json.loads(what.partition("on ")[2].replace("'", '"'))]
            for t, what in events
            if what.startswith("[poll]")
        ],
        "starts": [[round(t - zero, 4), node, what] for t, node, what in summary.get("starts", ())],
        "adverts": [list(one) for one in _adverts(folder / f"{name}.pcap", zero)],
        "announcements": [list(one) for one in _announcements(folder / f"{name}.pcap", zero)],
        "statistics": {tag: summary.get(f"brief_{tag}", {}) for tag in ("before", "during", "after")},
    }
    (out / f"{name}.json").write_text(_dump(told))


def _dump(told: dict[str, Any]) -> str:
    """A line for each key, so that a difference can be read."""
    return "{\n" + ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in told.items()) + "\n}\n"


def _adverts(path: Path, zero: float) -> Iterator[tuple[float, str, int]]:
    """Each advertisement: when, whose, with which priority."""
    with open_capture(path) as capture:
        for packet in capture:
            content = parse_frame(packet.data).content
            if isinstance(content, Datagram):
                advertisement = decode_datagram(content, ChecksumPolicy.EITHER)
                if not isinstance(advertisement, DecodeError):
                    node = f"n{text(content.source).rpartition('.')[2]}"
                    yield round(packet.time_ns / 1e9 - zero, 4), node, advertisement.priority


def _announcements(path: Path, zero: float) -> Iterator[tuple[float, str]]:
    """Each gratuitous ARP of the virtual address: when, and from which MAC."""
    with open_capture(path) as capture:
        for packet in capture:
            if packet.data[12:14] == ARP and packet.data[28:32] == packet.data[38:42]:
                yield round(packet.time_ns / 1e9 - zero, 4), packet.data[22:28].hex(":")


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    for path in sorted(source.glob("*.summary.json")):
        import_run(source, path.name.removesuffix(".summary.json"), target)
