"""Whose account, quotes and time a system's figures are, and what becomes of it while it does not run, in words.

What can go wrong: a figure of the simulator or of the paper account is taken for E*TRADE's, a stop on paper for one
that protects while nothing runs. What this promises: every screen that names them takes the words from here.
"""

from shared.settings import Mode

SIMULATOR = "simulator"


def unattended(broker: str | None, mode: str | None) -> str:
    """Say what a system that does not run leaves undone."""
    if mode == Mode.PAPER:
        return "on paper nothing fills and no stop works until it runs"
    if broker == SIMULATOR:
        return "its simulated time stands still: nothing fills and no stop works until it runs"
    return "until it runs nobody cancels, protects or sells anything; only stops that are at E*TRADE already still sell"
