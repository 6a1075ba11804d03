"""Whose account, quotes and time a system's figures are, and what becomes of it while it does not run, in words.

What can go wrong: a figure of the simulator or of the paper account is taken for E*TRADE's, a stop on paper for one
that protects while nothing runs. What this promises: every screen that names them takes the words from here.
"""

from shared.settings import Mode

SIMULATOR = "simulator"


def account(broker: str | None, mode: str | None) -> str:
    """Say whose figures a balance has; None for both where this machine does not know, as of the cloud."""
    if mode == Mode.PAPER:
        return "the paper account's"
    if broker == SIMULATOR:
        return "the simulated broker's"
    return "E*TRADE's" if mode is not None else "the account's"


def quoted(text: str, broker: str | None) -> str:
    """Say a text about E*TRADE's quotes of the simulator where that gives them."""
    return text.replace("E*TRADE", "the simulator") if broker == SIMULATOR else text


def by_hand(deed: str, broker: str | None, mode: str | None) -> str:
    """Say what a person does on E*TRADE's own page, or that it is no account of E*TRADE's where there is nothing."""
    if mode == Mode.PAPER or broker == SIMULATOR:
        return f"nothing of it is at E*TRADE: it is {account(broker, mode)}"
    return f"{deed} on E*TRADE's own page"


def signed_out(broker: str | None, mode: str | None) -> str:
    """Say what a system that runs leaves undone while nobody is signed in."""
    if mode == Mode.PAPER:
        return "NOBODY IS SIGNED IN: on paper no quote comes, so nothing fills and no stop works until `strategy login`"
    there = "the simulated broker" if broker == SIMULATOR else "E*TRADE"
    return (
        "NOBODY IS SIGNED IN: nobody cancels, protects or sells anything until `strategy login`; "
        f"only stops that are at {there} already still sell"
    )


def unattended(broker: str | None, mode: str | None) -> str:
    """Say what a system that does not run leaves undone."""
    if mode == Mode.PAPER:
        return "on paper nothing fills and no stop works until it runs"
    if broker == SIMULATOR:
        return "its simulated time stands still: nothing fills and no stop works until it runs"
    return "until it runs nobody cancels, protects or sells anything; only stops that are at E*TRADE already still sell"
