"""`socket` on the virtual network."""

from __future__ import annotations

import errno
import io
import socket
import threading
import time

import pytest


def serve(port, handle, host=""):
    """A server thread for one client."""
    listener = socket.create_server((host, port))

    def run():
        connection, _ = listener.accept()
        with connection:
            handle(connection)
        listener.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def echo(connection):
    while data := connection.recv(100):
        connection.sendall(data.upper())


def test_a_server_and_a_client_talk(inside):
    def program():
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 8000))
        listener.listen(5)
        assert listener.getsockname() == ("127.0.0.1", 8000)

        def run():
            connection, peer = listener.accept()
            assert peer == connection.getpeername()
            assert connection.getsockname() == ("127.0.0.1", 8000)
            echo(connection)
            connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        client = socket.socket()
        client.connect(("localhost", 8000))
        assert client.getpeername() == ("127.0.0.1", 8000)
        assert client.getsockname()[0] == "127.0.0.1"
        assert client.send(b"hello") == 5
        assert client.recv(3) == b"HEL"
        buffer = bytearray(10)
        assert client.recv_into(buffer) == 2
        assert bytes(buffer[:2]) == b"LO"
        client.sendall(memoryview(b"again"))
        assert client.recv(2, socket.MSG_PEEK) == b"AG"
        assert client.recvfrom(5)[0] == b"AGAIN"
        client.shutdown(socket.SHUT_WR)
        assert client.recv(10) == b""
        thread.join()
        client.close()
        with pytest.raises(OSError) as closed:
            client.recv(1)
        assert closed.value.errno == errno.EBADF

    inside(program)


def test_nobody_listens_and_nobody_has_that_name(inside):
    def program():
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("localhost", 1234))
        assert socket.socket().connect_ex(("localhost", 1234)) == errno.ECONNREFUSED
        with pytest.raises(socket.gaierror, match="no host is called 'nowhere'"):
            socket.create_connection(("nowhere", 1234))
        with pytest.raises(socket.gaierror):
            socket.getaddrinfo("nowhere", 80)
        with pytest.raises(socket.gaierror):
            socket.socket().connect_ex(("nowhere", 80))

    inside(program)


def test_names_resolve_to_addresses_of_the_world(inside, world):
    world.kernel.network.add_host("shop")

    def program():
        (entry,) = socket.getaddrinfo("shop", 5672, 0, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        assert entry[:3] == (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        assert entry[4] == (socket.gethostbyname("shop"), 5672)
        assert socket.getaddrinfo(None, "amqp", flags=socket.AI_PASSIVE)[0][4] == ("0.0.0.0", 5672)
        assert socket.getaddrinfo("127.0.0.1", "80")[0][4] == ("127.0.0.1", 80)
        with pytest.raises(socket.gaierror):
            socket.getaddrinfo("localhost", "no-such-service")
        assert socket.gethostname() == "localhost"

    inside(program)


def test_a_connection_that_ends_tidily_reads_as_its_end_and_a_reset_as_an_error(inside):
    def program():
        tidy = serve(8001, lambda connection: connection.recv(1))
        client = socket.create_connection(("localhost", 8001))
        client.sendall(b"x")
        assert client.recv(10) == b""
        tidy.join()

        rude = serve(8002, lambda connection: time.sleep(1))  # closes with our byte unread
        client = socket.create_connection(("localhost", 8002))
        client.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            client.recv(10)
        with pytest.raises(BrokenPipeError):
            client.sendall(b"y")
        rude.join()

    inside(program)


def test_writing_to_somebody_who_has_gone_fails_the_second_time(inside):
    def program():
        thread = serve(8003, lambda connection: None)
        client = socket.create_connection(("localhost", 8003))
        thread.join()
        time.sleep(1)
        assert client.send(b"into the void") > 0
        time.sleep(1)
        with pytest.raises(OSError) as broken:
            client.send(b"and again")
        assert broken.value.errno in (errno.EPIPE, errno.ECONNRESET)

    inside(program)


def test_time_outs_are_virtual_and_say_so(inside):
    def program():
        thread = serve(8004, lambda connection: time.sleep(100))
        client = socket.create_connection(("localhost", 8004), timeout=2.5)
        assert client.gettimeout() == client.timeout == 2.5
        before = time.monotonic()
        with pytest.raises(TimeoutError, match="timed out"):
            client.recv(1)
        assert time.monotonic() - before == pytest.approx(2.5, abs=0.001)
        client.settimeout(None)
        assert client.getblocking()
        with pytest.raises(ValueError, match="out of range"):
            client.settimeout(-1)
        client.close()
        listener = socket.create_server(("", 8005))
        listener.settimeout(1)
        with pytest.raises(TimeoutError):
            listener.accept()
        thread.join()

    inside(program)


def test_a_socket_that_does_not_block_says_try_again(inside):
    def program():
        thread = serve(8006, lambda connection: (time.sleep(1), connection.sendall(b"late")))
        client = socket.socket()
        client.setblocking(False)
        assert client.gettimeout() == 0.0
        assert client.connect_ex(("127.0.0.1", 8006)) == errno.EINPROGRESS
        time.sleep(0.1)
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        assert client.connect_ex(("127.0.0.1", 8006)) == errno.EISCONN
        with pytest.raises(BlockingIOError):
            client.recv(1)
        time.sleep(1)
        assert client.recv(10) == b"late"
        listener = socket.create_server(("", 8007))
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
        thread.join()

    inside(program)


def test_a_refused_connection_that_did_not_block_says_so_afterwards(inside):
    def program():
        client = socket.socket()
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.connect(("127.0.0.1", 9))
        time.sleep(0.1)
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0

    inside(program)


def test_asking_again_to_connect_says_that_it_was_refused(inside):
    def program():
        client = socket.socket()
        client.setblocking(False)
        assert client.connect_ex(("127.0.0.1", 9)) == errno.EINPROGRESS
        time.sleep(0.1)
        assert client.connect_ex(("127.0.0.1", 9)) == errno.ECONNREFUSED

    inside(program)


def test_a_receiver_that_does_not_read_stops_its_sender(inside):
    def program():
        taken = []

        def slow(connection):
            time.sleep(10)
            while data := connection.recv(65536):
                taken.append(len(data))

        thread = serve(8008, slow)
        client = socket.create_connection(("localhost", 8008))
        client.setblocking(False)
        sent = 0
        while sent < 1_000_000:
            try:
                sent += client.send(bytes(100_000))
            except BlockingIOError:
                break
        client.setblocking(True)
        client.sendall(bytes(1_000_000))
        assert time.monotonic() - 1000 > 10
        client.close()
        thread.join()
        assert sum(taken) == sent + 1_000_000
        return sent

    assert 0 < inside(program) < 1_000_000


def test_a_port_has_one_listener(inside):
    def program():
        listener = socket.create_server(("", 8009))
        with pytest.raises(OSError) as taken:
            socket.create_server(("", 8009))
        assert taken.value.errno == errno.EADDRINUSE
        listener.close()
        again = socket.create_server(("", 8009))
        chosen = socket.create_server(("", 0)).getsockname()[1]
        assert chosen > 49151
        assert again.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1

    inside(program)


def test_a_full_backlog_and_a_closed_listener_refuse(inside):
    def program():
        listener = socket.socket()
        listener.bind(("", 8010))
        listener.listen(1)
        first = socket.create_connection(("localhost", 8010))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("localhost", 8010))
        listener.close()
        with pytest.raises(ConnectionResetError):
            first.recv(1)

    inside(program)


def test_a_socket_pair_is_connected(inside):
    def program():
        one, other = socket.socketpair()
        one.sendall(b"ping")
        assert other.recv(10) == b"ping"
        other.close()
        assert one.recv(10) == b""
        assert one.fileno() >= 0
        one.close()
        assert one.fileno() == -1

    inside(program)


def test_a_socket_works_as_a_file(inside):
    def program():
        thread = serve(8011, lambda connection: connection.sendall(b"one\ntwo\n"))
        with socket.create_connection(("localhost", 8011)) as client:
            file = client.makefile("r", encoding="ascii")
            assert client.sendfile(io.BytesIO(b"abc")) == 3
        assert file.readlines() == ["one\n", "two\n"]
        file.close()
        thread.join()

    inside(program)


def test_options_are_remembered(inside):
    def program():
        one = socket.socket()
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert one.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM
        assert one.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) > 0
        assert one.family == socket.AF_INET
        assert one.type == socket.SOCK_STREAM
        assert isinstance(one, socket.socket)
        socket.setdefaulttimeout(4)
        assert socket.socket().gettimeout() == 4

    inside(program)
    assert socket.getdefaulttimeout() is None


def test_what_does_not_exist_is_refused_in_a_sentence(inside):
    def program():
        with pytest.raises(OSError, match="only stream sockets"):
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with pytest.raises(OSError, match="only IPv4"):
            socket.socket(socket.AF_INET6)
        with pytest.raises(OSError, match="cannot be duplicated"):
            socket.socket().dup()
        with pytest.raises(TypeError, match="bytes-like"):
            socket.socketpair()[0].send("text")
        with pytest.raises(TypeError, match="must be tuple"):
            socket.socket().connect("localhost")
        with pytest.raises(OverflowError):
            socket.socket().connect(("localhost", 70000))
        with pytest.raises(OSError) as unconnected:
            socket.socket().getpeername()
        assert unconnected.value.errno == errno.ENOTCONN

    inside(program)


def test_descriptors_belong_to_one_process(world):
    sockets = []

    def owner():
        sockets.extend(socket.socketpair())
        time.sleep(10)

    def thief():
        time.sleep(1)
        with pytest.raises(OSError) as bad:
            socket.socket(fileno=sockets[0].fileno() + 10_000).recv(1)
        assert bad.value.errno == errno.EBADF
        assert socket.socket().fileno() == sockets[0].fileno()

    world.start_function(owner)
    process = world.start_function(thief)
    world.run()
    assert process.error is None


@pytest.mark.needs_os
def test_outside_a_world_sockets_are_real(world):
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    client.sendall(b"really")
    assert server.recv(10) == b"really"
    assert isinstance(client, socket.socket)
    for each in (client, server, listener):
        each.close()
    one, other = socket.socketpair()
    assert one.fileno() < 3000
    one.close()
    other.close()
    assert socket.getaddrinfo("127.0.0.1", 80)[0][4] == ("127.0.0.1", 80)
