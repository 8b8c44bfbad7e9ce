"""Frames over a socket: a mark, a number, a length, then bytes nobody here looks into."""

import contextlib
import socket
import struct
import time

from carelab.grading.session import Lost

MARK = b"clab"
HEADER = struct.Struct(">4sIQ")


class Died(Lost):
    """The process ended before it replied."""


class TimedOut(Lost):
    """No reply came in time."""


class Flooded(Lost):
    """A reply is larger than a frame may be."""


class Garbled(Lost):
    """Bytes came that are no reply to the request."""


def write(sock: socket.socket, number: int, frame: bytes) -> None:
    """Send one frame; the socket's own timeout holds for the whole frame."""
    sock.sendall(HEADER.pack(MARK, number, len(frame)) + frame)


def read(sock: socket.socket, largest: int, deadline: float | None = None) -> tuple[int, bytes]:
    """The next frame and its number. `deadline` is a time of `time.monotonic()`.

    Raises Died at the end of the stream, TimedOut, Flooded or Garbled; nothing is kept of a frame that is too large.
    """
    mark, number, length = HEADER.unpack(_exactly(sock, HEADER.size, deadline))
    if mark != MARK:
        raise Garbled("The answer wrote into the channel that only replies may use.")
    if length > largest:
        raise Flooded(f"The answer gave back more than {largest // (1024 * 1024)} MB at once.")
    return number, _exactly(sock, length, deadline)


def unasked(sock: socket.socket) -> bool:
    """Whether bytes wait in `sock` that nobody asked for. Raises Died when the other end is closed."""
    sock.setblocking(False)
    try:
        if sock.recv(1, socket.MSG_PEEK):
            return True
    except BlockingIOError:
        return False
    except OSError as error:
        raise Died("The answer's process has ended.") from error
    raise Died("The answer's process has ended.")


def _exactly(sock: socket.socket, count: int, deadline: float | None) -> bytes:
    """`count` bytes; memory grows with what arrives, not with what was announced."""
    found = bytearray()
    while len(found) < count:
        remaining = None if deadline is None else deadline - time.monotonic()
        if remaining is not None and remaining <= 0:
            raise TimedOut("The answer took too long.")
        sock.settimeout(remaining)
        try:
            part = sock.recv(min(count - len(found), 1 << 20))
        except TimeoutError as error:
            raise TimedOut("The answer took too long.") from error
        except OSError as error:
            raise Died("The answer's process has ended.") from error
        if not part:
            raise Died("The answer's process has ended.")
        found += part
    return bytes(found)


def close(sock: socket.socket) -> None:
    """Close, whatever state the socket is in."""
    with contextlib.suppress(OSError):
        sock.close()
