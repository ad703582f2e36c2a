"""`select` and `selectors` over the world's sockets."""

from __future__ import annotations

import select
import selectors
import socket
import threading
import time

import pytest


def later(delay_s, action, *args):
    thread = threading.Timer(delay_s, action, args)
    thread.start()
    return thread


def test_select_wakes_for_bytes_and_times_out(inside):
    def program():
        one, other = socket.socketpair()
        assert select.select([one], [], [], 1.5) == ([], [], [])
        assert time.monotonic() - 1000 == pytest.approx(1.5, abs=0.001)
        assert select.select([one], [one], [], 5) == ([], [one], [])
        later(2, other.sendall, b"x")
        before = time.monotonic()
        assert select.select([one], [], [one]) == ([one], [], [])
        assert time.monotonic() - before == pytest.approx(2, abs=0.01)
        assert select.select([one.fileno()], [], [], 0) == ([one.fileno()], [], [])
        other.close()
        one.recv(1)
        assert select.select([one], [], []) == ([one], [], [])
        assert one.recv(1) == b""
        select.select([], [], [], 3)
        with pytest.raises(ValueError, match="non-negative"):
            select.select([one], [], [], -1)

    inside(program)


def test_select_refuses_real_files_in_a_sentence(inside):
    def program():
        with pytest.raises(ValueError, match="real file"):
            select.select([0], [], [], 1)
        with pytest.raises(ValueError, match="negative"):
            select.select([-1], [], [], 1)

    inside(program)


@pytest.mark.skipif(not hasattr(select, "poll"), reason="this system has no select.poll")
def test_poll_reports_what_was_asked_for(inside):
    def program():
        one, other = socket.socketpair()
        poll = select.poll()
        poll.register(one, select.POLLIN)
        assert poll.poll(1000) == []
        assert time.monotonic() - 1000 == pytest.approx(1, abs=0.001)
        other.sendall(b"x")
        assert poll.poll() == [(one.fileno(), select.POLLIN)]
        poll.modify(one, select.POLLIN | select.POLLOUT)
        assert poll.poll(0) == [(one.fileno(), select.POLLIN | select.POLLOUT)]
        poll.unregister(one)
        with pytest.raises(KeyError):
            poll.unregister(one)
        with pytest.raises(FileNotFoundError):
            poll.modify(one, select.POLLIN)

    inside(program)


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="only Linux has select.epoll")
def test_epoll_reports_what_was_asked_for(inside):
    def program():
        one, other = socket.socketpair()
        with select.epoll() as epoll:
            epoll.register(one.fileno(), select.EPOLLIN)
            with pytest.raises(FileExistsError):
                epoll.register(one.fileno(), select.EPOLLIN)
            assert epoll.poll(0.5) == []
            other.sendall(b"x")
            assert epoll.poll(-1, 10) == [(one.fileno(), select.EPOLLIN)]
            other.sendall(b"y")
            one.close()
            ((_, mask),) = epoll.poll(1)
            assert mask & select.EPOLLERR
        assert epoll.closed

    inside(program)


def test_a_reset_wakes_whoever_waits_to_read_or_write(inside):
    def program():
        listener = socket.create_server(("", 7000))
        client = socket.create_connection(("localhost", 7000))
        server, _ = listener.accept()
        client.sendall(b"unread")
        later(1, server.close)
        time.sleep(0.5)
        assert select.select([client], [], [], 10)[0] == [client]
        with pytest.raises(ConnectionResetError):
            client.recv(1)

    inside(program)


def test_a_listener_is_readable_when_a_client_came(inside):
    def program():
        listener = socket.create_server(("", 7001))
        assert select.select([listener], [], [], 1)[0] == []
        client = socket.create_connection(("localhost", 7001))
        assert select.select([listener], [], [], 1)[0] == [listener]
        client.close()

    inside(program)


def test_a_connection_in_the_making_is_writable_when_it_is_made(inside):
    def program():
        listener = socket.create_server(("", 7002))
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(("127.0.0.1", 7002))
        assert select.select([], [client], [], 0)[1] == []
        assert select.select([], [client], [], 1)[1] == [client]
        refused = socket.socket()
        refused.setblocking(False)
        refused.connect_ex(("127.0.0.1", 7003))
        assert select.select([], [refused], [], 1)[1] == [refused]
        assert refused.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0
        listener.close()

    inside(program)


NAMES = [
    name
    for name in ("DefaultSelector", "SelectSelector", "PollSelector", "EpollSelector")
    if hasattr(selectors, name)
]


@pytest.mark.parametrize("name", NAMES)
def test_selectors_select(inside, name):
    kind = getattr(selectors, name)

    def program():
        one, other = socket.socketpair()
        with kind() as selector:
            assert isinstance(selector, kind)
            selector.register(one, selectors.EVENT_READ, "payload")
            assert selector.select(1) == []
            other.sendall(b"x")
            ((key, events),) = selector.select()
            assert (key.fileobj, key.data, events) == (one, "payload", selectors.EVENT_READ)
            selector.modify(one, selectors.EVENT_READ | selectors.EVENT_WRITE)
            assert selector.select(0)[0][1] == selectors.EVENT_READ | selectors.EVENT_WRITE
            with pytest.raises(KeyError):
                selector.register(one, selectors.EVENT_READ)
            with pytest.raises(ValueError, match="real file"):
                selector.register(0, selectors.EVENT_READ)
            selector.unregister(one)
            assert selector.select(0) == []

    inside(program)


def test_kqueue_as_macos_has_it(inside, monkeypatch):
    """pika chooses kqueue where it exists; here it is asked as pika asks it."""
    from sandbox.sim.standins import select_

    for name, value in select_.KQUEUE.items():
        monkeypatch.setattr(select, name, value, raising=False)
    monkeypatch.setattr(select, "kevent", select_.Kevent, raising=False)

    def program():
        one, other = socket.socketpair()
        queue = select_.Kqueue()
        change = select.kevent(one.fileno(), select.KQ_FILTER_READ, select.KQ_EV_ADD)
        assert queue.control([change], 0) == []
        assert queue.control(None, 100, 1.5) == []
        assert time.monotonic() - 1000 == pytest.approx(1.5, abs=0.001)
        other.sendall(b"x")
        (event,) = queue.control(None, 100, None)
        assert (event.ident, event.filter) == (one.fileno(), select.KQ_FILTER_READ)
        queue.control([select.kevent(one.fileno(), select.KQ_FILTER_WRITE, select.KQ_EV_ADD)], 0)
        assert [each.filter for each in queue.control(None, 100, 0)] == [
            select.KQ_FILTER_READ,
            select.KQ_FILTER_WRITE,
        ]
        gone = select.kevent(one.fileno(), select.KQ_FILTER_READ, select.KQ_EV_DELETE)
        queue.control([gone], 0)
        with pytest.raises(FileNotFoundError):
            queue.control([gone], 0)
        assert [each.filter for each in queue.control(None, 1)] == [select.KQ_FILTER_WRITE]
        queue.close()
        assert queue.closed

    inside(program)


@pytest.mark.needs_os
def test_outside_a_world_select_is_real(world):
    one, other = socket.socketpair()
    with one, other:
        other.sendall(b"x")
        assert select.select([one], [], [], 5) == ([one], [], [])
        with selectors.DefaultSelector() as selector:
            assert isinstance(selector, selectors.DefaultSelector)
            selector.register(one, selectors.EVENT_READ)
            assert len(selector.select(5)) == 1
        if hasattr(select, "epoll"):
            with select.epoll() as epoll:
                epoll.register(one, select.EPOLLIN)
                assert epoll.poll(5) == [(one.fileno(), select.EPOLLIN)]
