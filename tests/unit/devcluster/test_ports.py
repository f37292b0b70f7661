"""Who listens where."""

from __future__ import annotations

import os
import socket

import pytest

from scheduler.devcluster import ports
from scheduler.devcluster.ports import Listener

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
   2: 0100007F:1388 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 20 4 30 10 -1
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx rx uid timeout inode
   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 4714 1 0 1
   1: 00000000000000000000000001000000:1F91 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 4715 1 0 1
"""


def test_only_listening_sockets_count() -> None:
    assert ports.parse(TCP) == (
        Listener(address="127.0.0.1", port=5000, inode=4711),
        Listener(address="0.0.0.0", port=22, inode=4712),
    )
    assert ports.parse(TCP6) == (Listener(address="::", port=8080, inode=4714),)


@pytest.mark.parametrize(
    ("address", "port", "inode"),
    [("127.0.0.1", 5000, 4711), ("10.217.0.1", 5000, None), ("10.217.0.1", 22, 4712), ("127.0.0.1", 8080, 4714)],
)
def test_a_port_is_held_by_the_same_address_or_by_any_address(address: str, port: int, inode: int | None) -> None:
    found = ports.holder(address, port, ports.parse(TCP) + ports.parse(TCP6))
    assert (found.inode if found else None) == inode


def test_the_holder_of_a_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        held = ports.holder("127.0.0.1", port, ports.listeners())
        assert held is not None
        assert ports.owners([held.inode])[held.inode].endswith(f"(process {os.getpid()})")
