"""What `vrrp dump` prints beside what tcpdump prints, for every capture and each set of options.

    python tests/dump/compare.py [CAPTURE...]

Against the installed tcpdump, with the filter that says what we claim to print; and against the stored outputs in
../shared/captures. It says how many lines it compared, and exits with 1 when one differed. Outputs made by a newer
tcpdump than 4.99.3 write the payload length of IPv6 in another way; they are compared with that undone.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from conftest import PROGRAM_PATH, SHARED  # noqa: E402  # only now can it be found
from vrrp.capture.reader import open_capture  # noqa: E402  # see above
from vrrp.capture.text.line import Style  # noqa: E402  # see above
from vrrp.capture.text.lines import Lines  # noqa: E402  # see above
from vrrp.capture.text.names import Names  # noqa: E402  # see above
from vrrp.capture.text.selection import FILTER, Selection  # noqa: E402  # see above
from vrrp.capture.text.stamp import Stamps  # noqa: E402  # see above

OPTIONS = (
    *("-n", "-nv", "-nvv", "-ne", "-nev", "-nt", "-ntt", "-nttt", "-ntttt", "-nttttt"),
    *("-nx", "-nxx", "-nX", "-nXX", "-n#", "-nttttev#", "-nq", "-nT carp", "-nvT carp"),
)
WITH_NAMES = ("-t", "-tt", "-ttt", "-tttt", "-#", "-te", "-tv")
"""Without -n the resolver is asked, which takes its time where there is one that does not answer."""
_FOREIGN = re.compile(r"igmp|IGMP|UDP, length")
_NEWER = re.compile(r"(next-header \S+(?: \S+)? \(\d+\)), payload length (\d+)\) ")
"""git's tcpdump: a comma more, a colon less."""


@dataclass(frozen=True)
class Difference:
    """The first line that differs."""

    capture: Path
    options: str
    number: int
    ours: str
    theirs: str

    def __str__(self) -> str:
        return f"{self.capture} {self.options} line {self.number}\n  ours   {self.ours}\n  theirs {self.theirs}"


def captures() -> list[Path]:
    """Our own, and those beside the project."""
    own = [*(ROOT / "tests").glob("wire/data/*.pcap"), *(ROOT / "tests").glob("fidelity/data/*/*.pcap")]
    shared = [path for path in SHARED.glob("**/*.pcap*") if path.suffix in {".pcap", ".pcapng"}]
    return sorted(own) + sorted(shared)


def ours(capture: Path, options: str) -> str:
    """What `vrrp dump` prints, in this process."""
    letters = options.replace("-", "").replace("T carp", "")
    style = Style(
        Names(numeric="n" in letters),
        link="e" in letters,
        verbose=letters.count("v"),
        quiet="q" in letters,
        carp="carp" in options,
        hexadecimal=letters.count("x"),
        characters=letters.count("X"),
    )
    lines = Lines(style, Stamps(letters.count("t")), Selection(), numbered="#" in letters)
    with open_capture(capture) as opened:
        return b"".join(lines.write(batch) for batch in opened.batches()).decode()


def tcpdump(capture: Path, options: str, expression: str = FILTER) -> str:
    """What the installed tcpdump prints."""
    command = ["tcpdump", *shlex.split(options), "-r", str(capture), expression]
    done = subprocess.run(command, capture_output=True, check=False, env={"PATH": PROGRAM_PATH, "TZ": "UTC"})
    return done.stdout.decode("utf-8", "replace")


def compare(capture: Path, options: str, theirs: str) -> Difference | None:
    """The first difference, or None."""
    printed = ours(capture, options)
    if printed == theirs:
        return None
    pairs = zip([*printed.splitlines(), ""], [*theirs.splitlines(), ""], strict=False)
    for number, (one, other) in enumerate(pairs, 1):
        if one != other:
            return Difference(capture, options, number, one, other)
    return Difference(capture, options, 0, f"{len(printed.splitlines())} lines", f"{len(theirs.splitlines())} lines")


def stored() -> Iterator[tuple[Path, str, str]]:
    """Outputs that others stored: capture, options, text. Only where all that they hold is what we print."""
    group = SHARED / "captures" / "the-tcpdump-group" / "tcpdump" / "tests"
    for name, capture, options in (
        ("vrrp.out", "vrrp.pcap", "-#nntttt"),
        ("vrrp-v.out", "vrrp.pcap", "-#nnttttv"),
        ("vrrp-vrrp_print-oobr-2.out", "vrrp-vrrp_print-oobr-2.pcap", "-#nnttttv"),
        ("hsrp_1.out", "HSRP_coup.pcap", "-#nntttt"),
        ("hsrp_1-v.out", "HSRP_coup.pcap", "-#nnttttv"),
        ("hsrp_2-v.out", "HSRP_election.pcap", "-#nnttttv"),
        ("hsrp_3-v.out", "HSRP_failover.pcap", "-#nnttttv"),
    ):
        file = group / name
        if file.is_file():
            yield group / capture, options, _NEWER.sub(r"\1 payload length: \2) ", file.read_text())
    files = {
        str(path.relative_to(SHARED / "captures")).replace("/", "_"): path
        for path in captures()
        if SHARED in path.parents and "captures" in path.parts
    }
    for gold in sorted((SHARED / "captures" / "_gold").glob("*.tcpdump-*.txt")):
        name, _, letters = gold.name.removesuffix(".txt").partition(".tcpdump-")
        text = gold.read_text(encoding="utf-8", errors="replace")
        # One of tcpdump's captures is Frame Relay, which is not read here.
        if (
            name in files
            and not name.endswith("oobr.pcap")
            and "igmp" not in text
            and "UDP, length" not in text
            and "IGMP" not in text
        ):
            yield files[name], f"-#tttt{letters}", text


def main(arguments: list[str]) -> int:
    compared, different = 0, 0
    for capture in [Path(argument) for argument in arguments] or captures():
        for options in (*OPTIONS, *WITH_NAMES):
            theirs = tcpdump(capture, options)
            compared += theirs.count("\n")
            difference = compare(capture, options, theirs)
            if difference is not None:
                different += 1
                print(difference)
    print(f"{compared} lines compared with tcpdump, {different} comparisons differ")
    held = 0
    for capture, options, text in () if arguments else stored():
        held += text.count("\n")
        difference = compare(capture, options, text)
        if difference is not None:
            different += 1
            print(difference)
    if not arguments:
        print(f"{held} lines compared with stored outputs")
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
