"""A simulated market day for a program of your own: sign in, ask, scan, order, each under the system's own limits."""

from infra.python.trading import Trading, simulated

__all__ = ["Trading", "simulated"]
