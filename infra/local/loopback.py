"""Ports of loopback, the one interface that anything on this machine listens on."""

import socket

from shared.errors import ConfigError

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """Give a port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def require_free(port: int) -> None:
    """Refuse a port of loopback that somebody listens on; raises ConfigError."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as problem:
            why = (problem.strerror or "refused").lower()
            raise ConfigError((f"port {port} cannot be used ({why}): choose another one, or --port 0",)) from None
