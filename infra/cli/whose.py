"""Whose account, quotes and time a system's figures are, and what becomes of it while it does not run, in words.

What can go wrong: a figure of the simulator or of the paper account is taken for E*TRADE's, a stop on paper for one
that protects while nothing runs. What this promises: every screen that names them takes the words from here.
"""

from infra.one_machine.world_file import SIMULATOR as NAMED
from shared.domain.telling.wording import ETRADE, called
from shared.settings import Mode

SIMULATOR = "simulator"
NOBODY_SIGNED_IN = "NOBODY IS SIGNED IN"


ON_PAPER = "the paper account's"


def account(broker: str | None, mode: str | None) -> str:
    """Say whose figures a balance has; None for both where this machine does not know, as of the cloud."""
    if mode == Mode.PAPER:
        return ON_PAPER
    if broker == SIMULATOR:
        return "the simulated broker's"
    return "E*TRADE's" if mode is not None else "the account's"


def prices(broker: str | None, mode: str | None) -> str:
    """Say whose prices a system trades on and whose money it moves; "" where this machine does not know."""
    if mode is None:
        return ""
    whose = {SIMULATOR: "simulated market", "sandbox": "E*TRADE's sandbox, made up"}.get(
        broker or "", "E*TRADE's, real"
    )
    money = {SIMULATOR: "simulated", "sandbox": "the sandbox's"}.get(broker or "", "the account's at E*TRADE")
    return f"{whose}; money: {'paper' if mode == Mode.PAPER else money}"


def quoted(text: str, broker: str | None) -> str:
    """Say a text about E*TRADE's quotes of the simulator where that gives them."""
    return called(text, NAMED if broker == SIMULATOR else ETRADE)


def by_hand(deed: str, broker: str | None, mode: str | None) -> str:
    """Say what a person does on E*TRADE's own page, or that it is no account of E*TRADE's where there is nothing."""
    if mode == Mode.PAPER or broker == SIMULATOR:
        return f"nothing of it is at E*TRADE: it is {account(broker, mode)}"
    return f"{deed} on E*TRADE's own page"


def signed_out(broker: str | None, mode: str | None) -> str:
    """Say that nobody is signed in to a system that runs, and what it leaves undone meanwhile."""
    return f"{NOBODY_SIGNED_IN}: {without_sign_in(broker, mode)}"


def without_sign_in(broker: str | None, mode: str | None) -> str:
    """Say what a system that runs leaves undone while nobody is signed in."""
    if mode == Mode.PAPER:
        return "on paper no quote comes, so nothing fills and no stop works until `strategy login`"
    there = "the simulated broker" if broker == SIMULATOR else "E*TRADE"
    return (
        f"nobody cancels, protects or sells anything until `strategy login`; only stops that are at {there} already "
        "still sell"
    )


def from_when(*, running: bool, signed_in: bool | None) -> str:
    """Say from when on somebody acts, nothing where that is now; `signed_in` is None where it is not known."""
    if not running:
        return " once it runs"
    return " once you are signed in" if signed_in is False else ""


def resting(broker: str | None, mode: str | None, *, killed: bool = False) -> tuple[str, str]:
    """Say that a system does not run, or was killed, and what that leaves undone: a name and its sentence."""
    undone = unattended(broker, mode)
    return ("KILLED", f"it ended without being stopped; {undone}") if killed else ("NOT RUNNING", undone)


def unattended(broker: str | None, mode: str | None) -> str:
    """Say what a system that does not run leaves undone."""
    if mode == Mode.PAPER:
        return "on paper nothing fills and no stop works until it runs"
    if broker == SIMULATOR:
        return "its simulated time stands still: nothing fills and no stop works until it runs"
    return "until it runs nobody cancels, protects or sells anything; only stops that are at E*TRADE already still sell"
