"""What is written to whom by mail, by our daemon and by keepalived, into the same post office."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from linux.lan import VRRP
from linux.namespaces import ENVIRONMENT, alone, sh

pytestmark = [pytest.mark.root, pytest.mark.program("ip", "keepalived")]

LINES = """\
global_defs {
 notification_email {
  root@localhost
  ops@example.org
 }
 smtp_server 127.0.0.1 2525
 router_id LB
 smtp_alert
}
vrrp_sync_group G {
 group {
  VI_1
  VI_2
 }
}
"""
INSTANCE = """\
vrrp_instance VI_{0} {{
 interface {1}
 virtual_router_id 5{0}
 version 3
 advert_int 0.05
 {2}
 virtual_ipaddress {{
  10.0.{3}.10{0}/24
 }}
}}
"""
INSTANCES = "".join(
    (
        INSTANCE.format(1, "eth0", "", 0),
        INSTANCE.format(2, "eth0", "", 0),
        INSTANCE.format(3, "eth1", "smtp_alert no", 1),
        INSTANCE.format(4, "eth1", "smtp_alert yes", 1),
    )
)


class PostOffice:
    """Takes all that comes; `letters` has what each of its clients said, line by line, but for the date."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, ...]] = []
        self._socket = socket.create_server(("127.0.0.1", 2525))
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._talk, args=self._socket.accept()[:1], daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        said: list[str] = []
        with suppress(OSError), client, client.makefile("rb") as lines:
            client.sendall(b"220-welcome\r\n220 here\r\n")
            letter = False
            for line in lines:
                text = line.decode("ascii")
                said.append("Date" if text.startswith("Date: ") else text)
                letter = (letter or text == "DATA\r\n") and text != ".\r\n"
                if not letter or text == "DATA\r\n":
                    client.sendall(b"354 go on\r\n" if letter else b"250 well\r\n")
                if text == "QUIT\r\n":
                    self.letters.append(tuple(said))
                    return


def what_is_written(folder: Path, letters: int, *words: object) -> list[tuple[str, ...]]:
    """The letters of a daemon that becomes master, loses its cable and gets it back; how many are awaited."""
    log = folder / f"{words[0]}.log".replace("/", "_")
    with log.open("w") as file, alone():
        for number in (0, 1):
            sh("ip", "link", "add", f"eth{number}", "type", "veth", "peer", "name", f"p{number}")
            for name in ("eth", "p"):
                sh("ip", "link", "set", f"{name}{number}", "up")
            sh("ip", "addr", "add", f"10.0.{number}.1/24", "dev", f"eth{number}")
        office = PostOffice()
        process = subprocess.Popen([*map(str, words)], stdout=file, stderr=file, env=ENVIRONMENT, cwd=folder)
        try:
            for state, wanted in (("", letters), ("down", letters + 1), ("up", letters + 3)):
                if state:
                    sh("ip", "link", "set", "p1", state)
                end = time.monotonic() + 15
                while len(office.letters) < wanted:
                    assert time.monotonic() < end, log.read_text()
                    time.sleep(0.02)
            time.sleep(0.2)  # no more come
        finally:
            process.terminate()
            process.wait(20)
            office.close()
        return sorted(office.letters)


def test_the_same_letters_as_keepalived_s(tmp_path: Path) -> None:
    file = tmp_path / "k.conf"
    file.write_text(LINES + INSTANCES)
    pids = ("-p", tmp_path / "k.pid", "-r", tmp_path / "v.pid")
    theirs = what_is_written(tmp_path, 8, "keepalived", "-n", "-l", "-D", "-P", "-f", file, *pids)
    ours = what_is_written(tmp_path, 8, *VRRP, "run", "-f", file, "--state-dir", tmp_path / "state")
    assert len(theirs) == 11
    assert ours == theirs
