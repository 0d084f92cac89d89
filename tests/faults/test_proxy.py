"""The chaos proxy does to a connection what its script says, and counts it. A fault that never happens proves nothing."""

import socket
import threading
import time

import pytest

from tests.faults.proxy import Fault, running

REPLY = b"HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\n0123456789"


@pytest.fixture
def seen():
    """A server on a thread: one reply for each request; `seen` is what arrived."""
    received: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))
    received_port = listener.getsockname()[1]

    def answer(link: socket.socket) -> None:
        with link:
            try:
                while data := link.recv(65536):
                    received.append(data)
                    link.sendall(REPLY)
            except OSError:
                pass

    def accept() -> None:
        while True:
            try:
                link, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(link,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield received_port, received
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def ask(port: int, times: int = 1) -> list[bytes | str]:
    """What each of several requests on one connection gets: the reply, or the name of what went wrong."""
    got: list[bytes | str] = []
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as link:
            for _ in range(times):
                link.sendall(b"POST /")
                data = b""
                while len(data) < len(REPLY):
                    part = link.recv(65536)
                    if not part:
                        break
                    data += part
                got.append(data)
    except OSError as problem:
        got.append(type(problem).__name__)
    return got


@pytest.mark.parametrize(
    ("fault", "arrives", "gets"),
    [
        (Fault("refuse"), 0, ["ConnectionResetError"]),
        (Fault("reset_before"), 0, ["ConnectionResetError"]),
        (Fault("reset_after"), 1, ["ConnectionResetError"]),
        (Fault("half_close", after=9), 1, [REPLY[:9], b""]),
        (Fault("reset_before", exchange=2), 1, [REPLY, "ConnectionResetError"]),
        (Fault("reset_after", exchange=2), 2, [REPLY, "ConnectionResetError"]),
        (Fault(), 2, [REPLY, REPLY]),
    ],
    ids=lambda value: f"{value.kind}-{value.exchange}" if isinstance(value, Fault) else "",
)
def test_each_fault_does_what_it_says(seen, fault, arrives, gets):
    port, received = seen
    with running(port) as proxy:
        proxy.script(fault)
        got = ask(proxy.port, times=2)[: len(gets)]
        assert got == gets
        assert len(received) == arrives
        assert proxy.statistics.faults == ({fault.kind: 1} if fault.kind != "clean" else {})
        assert ask(proxy.port) == [REPLY], "the next connection has no script and is clean"


def test_a_reply_is_cut_after_its_bytes(seen):
    port, received = seen
    with running(port) as proxy:
        proxy.script(Fault("cut_reply", after=9))
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as link:
            link.sendall(b"POST /")
            data = b""
            with pytest.raises(ConnectionResetError):
                while True:
                    data += link.recv(3)  # what came before the reset may be lost with it, never more than 9
        assert len(data) <= 9
        assert len(received) == 1


@pytest.mark.parametrize(
    ("fault", "least"), [(Fault("stall", seconds=0.3), 0.3), (Fault("drip", after=10, seconds=0.06), 0.25)]
)
def test_a_slow_reply_is_slow_and_whole(seen, fault, least):
    with running(seen[0]) as proxy:
        proxy.otherwise(fault)
        started = time.monotonic()
        assert ask(proxy.port) == [REPLY]
        assert time.monotonic() - started >= least


def test_a_cut_refuses_and_resets_and_restore_heals(seen):
    with running(seen[0]) as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as link:
            link.sendall(b"POST /")
            assert link.recv(65536) == REPLY
            timer = proxy.cut_for(0.2)
            with pytest.raises(ConnectionResetError):
                link.recv(1)
        assert ask(proxy.port) == ["ConnectionRefusedError"]
        timer.join()
        assert ask(proxy.port) == [REPLY]
        assert (proxy.statistics.cuts, proxy.statistics.connections, proxy.statistics.exchanges) == (1, 2, 2)
