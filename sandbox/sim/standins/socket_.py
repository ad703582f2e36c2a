"""Stand-in for `socket`: stream sockets of the virtual network."""

from __future__ import annotations

import errno
import os
import socket
import sys
from typing import Any

from sandbox.sim.standins import context
from sandbox.sim.standins.classes import standing_for
from sandbox.sim.standins.installation import Replace
from sandbox.sim.standins.select_ import nanoseconds

Real = socket.socket
#: What SO_SNDBUF and SO_RCVBUF say.
WINDOW = 256 * 1024
_SERVICES = {"http": 80, "https": 443, "smtp": 25, "amqp": 5672, "amqps": 5671, "mqtt": 1883}


class WorldSocket:
    """A stream socket of the world, with the interface of `socket.socket`."""

    def __init__(
        self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None
    ) -> None:
        if family not in (-1, socket.AF_INET):
            raise OSError(errno.EAFNOSUPPORT, "only IPv4 (AF_INET) exists on the simulated network")
        kind = socket.SOCK_STREAM if type == -1 else type
        if kind & 0xF != socket.SOCK_STREAM:
            raise OSError(
                errno.EPROTONOSUPPORT,
                "only stream sockets (SOCK_STREAM) exist on the simulated network",
            )
        self._process = context.here()
        self._fd = self._process.syscalls.socket() if fileno is None else fileno
        self._timeout: float | None = self._process.default_timeout_s
        if kind & getattr(socket, "SOCK_NONBLOCK", 0):
            self._timeout = 0.0
        self._options: dict[tuple[int, int], int] = {}
        self._io_refs = 0
        self._closed = False
        self._listening = False

    family = socket.AF_INET
    type = socket.SOCK_STREAM
    proto = 0

    @property
    def timeout(self) -> float | None:
        """See `socket.socket.timeout`."""
        return self._timeout

    def fileno(self) -> int:
        """See `socket.socket.fileno`."""
        return self._fd

    # names and options

    def bind(self, address: tuple[str, int]) -> None:
        """See `socket.socket.bind`."""
        host, port = _checked(address)
        syscalls = self._process.syscalls
        syscalls.bind(self._fd, _resolve(host), port)

    def getsockname(self) -> tuple[str, int]:
        """See `socket.socket.getsockname`."""
        return self._process.syscalls.address(self._fd, False)

    def getpeername(self) -> tuple[str, int]:
        """See `socket.socket.getpeername`."""
        return self._process.syscalls.address(self._fd, True)

    def setsockopt(self, level: int, optname: int, value: Any, optlen: int | None = None) -> None:
        """Remembered and answered by `getsockopt`; none changes the virtual network."""
        self._options[level, optname] = value if isinstance(value, int) else 0

    def getsockopt(self, level: int, optname: int, buflen: int = 0) -> Any:
        """See `socket.socket.getsockopt`."""
        value = self._options.get((level, optname), 0)
        if level == socket.SOL_SOCKET:
            if optname == socket.SO_ERROR:
                value = self._process.syscalls.socket_error(self._fd)
            elif optname == socket.SO_TYPE:
                value = int(socket.SOCK_STREAM)
            elif optname in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                value = value or WINDOW
            elif optname == getattr(socket, "SO_ACCEPTCONN", None):
                value = int(self._listening)
        return value if not buflen else value.to_bytes(buflen, "little")

    def settimeout(self, value: float | None) -> None:
        """See `socket.socket.settimeout`."""
        if value is not None:
            value = float(value)
            if value < 0:
                raise ValueError("Timeout value out of range")
        self._timeout = value

    def gettimeout(self) -> float | None:
        """See `socket.socket.gettimeout`."""
        return self._timeout

    def setblocking(self, flag: bool) -> None:
        """See `socket.socket.setblocking`."""
        self._timeout = None if flag else 0.0

    def getblocking(self) -> bool:
        """See `socket.socket.getblocking`."""
        return self._timeout != 0.0

    def set_inheritable(self, inheritable: bool) -> None:
        """Nothing inherits descriptors in a world."""

    def get_inheritable(self) -> bool:
        """See `socket.socket.get_inheritable`."""
        return False

    # connections

    def listen(self, backlog: int = 128) -> None:
        """See `socket.socket.listen`."""
        self._process.syscalls.listen(self._fd, backlog)
        self._listening = True

    def accept(self) -> tuple[WorldSocket, tuple[str, int]]:
        """See `socket.socket.accept`."""
        self._process.flush()
        with _timeouts("accept timed out"):
            fd, host, port = self._process.syscalls.accept(self._fd, self._patience())
        return WorldSocket(fileno=fd), (host, port)

    def connect(self, address: tuple[str, int]) -> None:
        """See `socket.socket.connect`."""
        host, port = _checked(address)
        self._process.flush()
        with _timeouts():
            self._process.syscalls.connect(self._fd, _resolve(host), port, self._patience())

    def connect_ex(self, address: tuple[str, int]) -> int:
        """See `socket.socket.connect_ex`."""
        try:
            self.connect(address)
        except TimeoutError:
            return errno.EAGAIN
        except socket.gaierror:
            raise
        except OSError as error:
            return error.errno or errno.EIO
        return 0

    def shutdown(self, how: int) -> None:
        """See `socket.socket.shutdown`."""
        self._process.syscalls.shutdown(self._fd, how)

    def close(self) -> None:
        """See `socket.socket.close`."""
        self._closed = True
        if self._io_refs <= 0:
            self._real_close()

    def detach(self) -> int:
        """See `socket.socket.detach`."""
        fd, self._fd = self._fd, -1
        self._closed = True
        return fd

    def dup(self) -> Any:
        """Descriptors of the world cannot be duplicated."""
        raise OSError(errno.ENOTSUP, "a socket of the simulated network cannot be duplicated")

    # bytes

    def send(self, data: Any, flags: int = 0) -> int:
        """See `socket.socket.send`."""
        payload = data if type(data) is bytes else _payload(data)
        process = self._process
        process.flush()
        if not payload:
            return 0
        if self._timeout == 0.0 and self._fd >= 0:  # the common case: nothing to wait for
            return process.syscalls.send(self._fd, payload, 0)
        with _timeouts():
            return process.syscalls.send(self._fd, payload, self._patience())

    def sendall(self, data: Any, flags: int = 0) -> None:
        """See `socket.socket.sendall`."""
        left = _payload(data)
        self._process.flush()
        with _timeouts():
            while left:
                left = left[self._process.syscalls.send(self._fd, left, self._patience()) :]

    def sendmsg(self, buffers: Any, ancdata: Any = (), flags: int = 0, address: Any = None) -> int:
        """See `socket.socket.sendmsg`; ancillary data does not exist here."""
        return self.send(b"".join(bytes(buffer) for buffer in buffers))

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """See `socket.socket.recv`."""
        if bufsize < 0:
            raise ValueError("negative buffersize in recv")
        self._process.flush()
        peek = bool(flags & socket.MSG_PEEK)
        patience = 0 if flags & getattr(socket, "MSG_DONTWAIT", 0) else self._patience()
        with _timeouts():
            return self._process.syscalls.receive(self._fd, bufsize, patience, peek)

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """See `socket.socket.recv_into`."""
        view = memoryview(buffer).cast("B")
        data = self.recv(nbytes or len(view), flags)
        view[: len(data)] = data
        return len(data)

    def recvfrom(self, bufsize: int, flags: int = 0) -> tuple[bytes, None]:
        """See `socket.socket.recvfrom`; a stream has no other sender."""
        return self.recv(bufsize, flags), None

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, None]:
        """See `socket.socket.recvfrom_into`."""
        return self.recv_into(buffer, nbytes, flags), None

    def recvmsg(
        self, bufsize: int, ancbufsize: int = 0, flags: int = 0
    ) -> tuple[bytes, list[Any], int, None]:
        """See `socket.socket.recvmsg`."""
        return self.recv(bufsize, flags), [], 0, None

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """See `socket.socket.sendfile`."""
        if offset:
            file.seek(offset)
        data = file.read() if count is None else file.read(count)
        self.sendall(data)
        return len(data)

    def makefile(self, *args: Any, **kwargs: Any) -> Any:
        """See `socket.socket.makefile`."""
        make: Any = Real.makefile
        return make(self, *args, **kwargs)

    # as `socket.SocketIO` expects

    def _decref_socketios(self) -> None:
        if self._io_refs > 0:
            self._io_refs -= 1
        if self._closed:
            self.close()

    def _real_close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0 and context.current() is self._process:
            self._process.syscalls.close(fd)

    def _patience(self) -> int | None:
        if self._fd < 0:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return nanoseconds(self._timeout)

    def __enter__(self) -> WorldSocket:
        return self

    def __exit__(self, *exc: object) -> None:
        if not self._closed:
            self.close()

    def __repr__(self) -> str:
        state = " [closed]" if self._closed else ""
        return f"<socket of the simulated network{state} fd={self._fd}>"


class _timeouts:
    """Turns the world's ETIMEDOUT of a call with a time-out into `TimeoutError`."""

    def __init__(self, message: str = "timed out") -> None:
        self._message = message

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, tb: Any) -> None:
        # A connection that nothing answers also ends in ETIMEDOUT, without anybody's time-out.
        if isinstance(error, TimeoutError) and error.errno == errno.ETIMEDOUT:
            raise TimeoutError(self._message) from None


def _resolve(host: str) -> str:
    try:
        return context.here().syscalls.resolve(host)
    except FileNotFoundError as error:
        raise socket.gaierror(
            socket.EAI_NONAME, f"Name or service not known: {error.strerror}"
        ) from None


def _checked(address: Any) -> tuple[str, int]:
    if not isinstance(address, tuple) or len(address) < 2:
        raise TypeError(f"AF_INET address must be tuple, not {type(address).__name__}")
    host, port = address[0], address[1]
    if isinstance(host, (bytes, bytearray)):
        host = host.decode()
    if not isinstance(port, int):
        raise TypeError(f"'{type(port).__name__}' object cannot be interpreted as an integer")
    if not 0 <= port <= 65535:
        raise OverflowError("bind(): port must be 0-65535.")
    return host, port


def _payload(data: Any) -> bytes:
    if isinstance(data, bytes):
        return data
    if isinstance(data, str):
        raise TypeError("a bytes-like object is required, not 'str'")
    return bytes(memoryview(data))


def _port(service: Any) -> int:
    if service is None:
        return 0
    if isinstance(service, (bytes, bytearray)):
        service = service.decode()
    if isinstance(service, str) and not service.isdigit():
        if service not in _SERVICES:
            raise socket.gaierror(socket.EAI_SERVICE, "Servname not supported for ai_socktype")
        return _SERVICES[service]
    return int(service)


#: Constants that browsers' Python lacks and client libraries name.
CONSTANTS = {
    "SO_ACCEPTCONN": 30,
    "SO_BROADCAST": 6,
    "SO_KEEPALIVE": 9,
    "SO_LINGER": 13,
    "SO_RCVBUF": 8,
    "SO_REUSEADDR": 2,
    "SO_SNDBUF": 7,
    "TCP_KEEPCNT": 6,
    "TCP_KEEPIDLE": 4,
    "TCP_KEEPINTVL": 5,
    "TCP_NODELAY": 1,
}


def install(replace: Replace) -> None:
    """Put the stand-ins in place."""
    if sys.platform == "emscripten":
        for name, value in CONSTANTS.items():
            vars(socket).setdefault(name, value)
    replace(socket, "socket", standing_for(Real, WorldSocket, WorldSocket))

    def dispatch(name: str, inside: Any) -> None:
        original = getattr(socket, name)

        def anywhere(*args: Any, **kwargs: Any) -> Any:
            if context.current() is None:
                return original(*args, **kwargs)
            return inside(*args, **kwargs)

        anywhere.__name__ = name
        anywhere.__doc__ = original.__doc__
        replace(socket, name, anywhere)

    def getaddrinfo(
        host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> list[Any]:
        if isinstance(host, (bytes, bytearray)):
            host = host.decode()
        if host is None:
            address = "0.0.0.0" if flags & socket.AI_PASSIVE else "127.0.0.1"
        else:
            address = _resolve(host)
        if family not in (0, socket.AF_INET):
            raise socket.gaierror(
                socket.EAI_FAMILY, "the simulated network has IPv4 addresses only"
            )
        return [
            (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, _port(port)))
        ]

    def socketpair(*args: Any, **kwargs: Any) -> tuple[WorldSocket, WorldSocket]:
        one, other = context.here().syscalls.socketpair()
        return WorldSocket(fileno=one), WorldSocket(fileno=other)

    def getdefaulttimeout() -> float | None:
        return context.here().default_timeout_s

    def setdefaulttimeout(timeout: float | None) -> None:
        if timeout is not None and timeout < 0:
            raise ValueError("Timeout value out of range")
        context.here().default_timeout_s = timeout

    def getnameinfo(sockaddr: Any, flags: int) -> tuple[str, str]:
        return str(sockaddr[0]), str(sockaddr[1])

    dispatch("getaddrinfo", getaddrinfo)
    dispatch("socketpair", socketpair)
    dispatch("getdefaulttimeout", getdefaulttimeout)
    dispatch("setdefaulttimeout", setdefaulttimeout)
    dispatch("gethostbyname", lambda hostname: _resolve(hostname))
    dispatch("gethostbyaddr", lambda address: (address, [], [_resolve(address)]))
    dispatch("gethostname", lambda: "localhost")
    dispatch("getnameinfo", getnameinfo)
    if hasattr(socket, "fromfd"):
        dispatch("fromfd", lambda fd, *_: WorldSocket(fileno=fd))
