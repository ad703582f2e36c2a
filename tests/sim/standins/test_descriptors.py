"""`fcntl` on a world's descriptors, as libraries written for real ones use it."""

from __future__ import annotations

import os
import socket

import pytest

fcntl = pytest.importorskip("fcntl")


def test_a_socket_of_a_world_can_be_marked_as_not_inherited(inside):
    def program():
        left, right = socket.socketpair()
        flags = fcntl.fcntl(left, fcntl.F_GETFD)
        fcntl.fcntl(left.fileno(), fcntl.F_SETFD, flags | fcntl.FD_CLOEXEC)
        left.sendall(b"hello")
        return flags, right.recv(5)

    assert inside(program) == (fcntl.FD_CLOEXEC, b"hello")


def test_what_a_world_cannot_do_to_a_descriptor_is_refused(inside):
    def program():
        left, _ = socket.socketpair()
        with pytest.raises(OSError, match="Invalid argument"):
            fcntl.fcntl(left, fcntl.F_SETLK, b"")

    inside(program)


@pytest.mark.needs_os
def test_descriptors_of_the_machine_are_asked_of_the_machine(inside):
    read, write = os.pipe()
    try:
        assert fcntl.fcntl(read, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
        assert inside(lambda: fcntl.fcntl(read, fcntl.F_GETFD)) & fcntl.FD_CLOEXEC
    finally:
        os.close(read)
        os.close(write)
