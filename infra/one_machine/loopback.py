"""Ports of loopback, the one interface that anything on this machine listens on.

What can go wrong: a server has to be told its port before it starts, and meanwhile the system gives that port to
another server, or to an outgoing connection. So a port is held: bound, and not listened on. Linux lets a server that
sets SO_REUSEADDR, as servers do, bind a port that is held so, gives it to nobody who asks for any, and refuses
connections to it until a server listens. Elsewhere a bound port cannot be bound again: there it is let go at once.
"""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import ConfigError

LOOPBACK = "127.0.0.1"


@contextmanager
def held_port(port: int = 0) -> Iterator[int]:
    """Hold a port for servers of ours to listen on, a free one for 0; raises ConfigError when it is taken."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind((LOOPBACK, port))
        except OSError as problem:
            why = (problem.strerror or "refused").lower()
            raise ConfigError((f"port {port} cannot be used ({why}): choose another one, or --port 0",)) from None
        number: int = holder.getsockname()[1]
        if sys.platform != "linux":
            holder.close()
        yield number
