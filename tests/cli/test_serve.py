"""``callsheet serve`` as a process."""

from __future__ import annotations

import re
import signal
import socket
import sys

import pytest
from cli.command import start
from waiting import PATIENCE_S

pytestmark = [pytest.mark.process]


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to a whole console")
@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", r"127\.0\.0\.1"),
        pytest.param(
            "::1", r"\[::1\]", marks=pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")
        ),
    ],
)
def test_it_says_where_it_listens_and_that_it_has_stopped(host: str, shown: str) -> None:
    with start("serve", "--engine", "scripted", "--host", host, "--port", "0") as server:
        assert server.stdout is not None
        server.stdout.readline()
        assert re.search(rf"ws://{shown}:\d+/", server.stdout.readline())
        server.send_signal(signal.SIGINT)
        out, err = server.communicate(timeout=PATIENCE_S)
    assert server.returncode == 0, err
    assert out.splitlines()[-1] == "stopped"
