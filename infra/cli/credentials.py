"""`strategy login`, `logout`, `token`, `secrets set`: what only the owner can give a desk; nothing of it is shown."""

import getpass
import sys
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from infra.cli.exits import BAD_INPUT, say
from infra.cli.hand import alone, reached, show
from infra.cli.whose import quoted, resting, signed_out
from infra.operations import login as sign_in
from infra.operations import logout as sign_out
from infra.operations import secrets
from infra.operations.logout import LoggedOut
from infra.operations.profiles import Hand
from infra.operations.token_view import token_view
from infra.running.status import lasts
from infra.simulated_day.hours import day_and_time
from infra.simulated_day.problems import UserError
from shared.domain.broker.brokerage import Account
from shared.domain.broker.tokens import TokenRecord
from shared.topology import ALPACA_KEY, CONSUMER, HALT_KEY, SIGN_IN_KEY

_PAGE = (
    '<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
    '<meta http-equiv="refresh" content="0; url={link}"><title>Sign in</title><a href="{link}">Sign in</a>\n'
)
_LINKS_FROM_WHEN = " Functions that run take it within a minute."
_FROM_WHEN = {
    CONSUMER: " Functions that run read it at their next start.",
    SIGN_IN_KEY: _LINKS_FROM_WHEN,
    HALT_KEY: _LINKS_FROM_WHEN,
    ALPACA_KEY: " It is used from the next sign-in or the next morning at 07:00 on; `strategy doctor` tries it.",
}


def login(
    profile: str, state: Path | None, *, link: bool, change: bool, browser: bool, wait_s: float, json: bool
) -> None:  # fmt: skip
    """Sign the owner in, and say so when the desk's store has the token."""
    with reached(profile, state) as hand, ExitStack() as shown:
        if change and (left := sign_out.left_at_broker(hand.desk)):
            what = f"nothing was changed, because this lies in the account of now: {'; '.join(left)}"
            raise UserError(what, remedy="sell and cancel first: `strategy close --all`, `strategy cancel ORDER`")
        before = sign_in.version(hand)
        if hand.running and (until := lasts(hand.desk.store, hand.desk.clock.now())) is not None:
            say(f"You are signed in already, until {day_and_time(until)} New York at the latest. Another sign-in takes")
            say("its place; Ctrl-C keeps the one of now.")
        if link:
            page = sign_in.link(hand)
            say("Open this link; it works once, within ten minutes:", page)
            if browser:
                _open(page, hand.private, shown, "No browser was found here: open the link yourself.")
        else:
            choose = _account if change else None
            sign_in.by_code(hand, asking_code(hand, browser=browser), say, choose=choose)
        record = sign_in.await_token(hand, before, within_s=wait_s)
        view = token_view(hand)
    show(view, lambda: sys.stdout.write(signed_in_until(record)), json=json)


def _open(address: str, private: Path | None, shown: ExitStack, otherwise: str) -> None:
    """Open an address in a browser, or say what to do where there is none."""
    if not webbrowser.open(shown.enter_context(leading_to(address, private))):
        say(otherwise)


def signed_in_until(record: TokenRecord) -> str:
    """Say how long a sign-in lasts, as a line."""
    until = f"Signed in until {day_and_time(record.dies_at)} New York at the latest"
    return f"{until}; the system ends it earlier, when the day is settled.\n"


def logout(
    broker: str | None, profile: str, state: Path | None, *, yes: bool, json: bool, terminal: bool
) -> None:  # fmt: skip
    """Sign the owner out, and say what E*TRADE was not told; raises typer.Exit where anything of it is left."""
    with reached(profile, state) if broker is None else alone(broker, state) as hand:
        left = () if sign_out.is_out(hand) else sign_out.left_at_broker(hand.desk)
        if left and not (yes or (terminal and not json and _agreed(left))):
            what = f"nothing was done, because nothing would manage this: {'; '.join(left)}"
            raise UserError(what, remedy="say --yes to sign out all the same; `strategy close --all` sells first")
        done = sign_out.logout(hand)
    show(done, lambda: sys.stdout.write(_signed_out(done, hand)), json=json)
    if done.problem:
        there = quoted("E*TRADE", hand.broker).upper()
        say(
            f"NOT REVOKED AT {there}: {done.problem}. The token may live until midnight ET: if somebody else may "
            "have it, change your E*TRADE password."
        )  # fmt: skip
    if done.undestroyed:
        say(f"NOT DESTROYED: {done.undestroyed} version(s) in the vault. Run `strategy logout` again.")
    if done.problem or done.undestroyed:
        raise typer.Exit(BAD_INPUT)


def _agreed(left: Sequence[str]) -> bool:
    say("Nothing manages this once you are signed out:", *left)
    return typer.confirm("Sign out all the same?")


def _signed_out(done: LoggedOut, hand: Hand) -> str:
    if not (done.signed_in or done.destroyed):
        return "You are not signed in.\n"
    there = quoted("E*TRADE", hand.broker)
    gone = "destroyed here" if done.problem else f"revoked at {there} and destroyed here"
    out = f"Signed out: the access token is {gone}."
    if not done.left:
        return f"{out} `strategy login` signs in again.\n"
    works = signed_out(hand.broker, hand.mode) if hand.running else ": ".join(resting(hand.broker, hand.mode))
    return f"{out} This stays: {'; '.join(done.left)}. {works}.\n"


def set_secret(name: str, profile: str, state: Path | None, *, generate: bool, json: bool) -> None:
    """Read a secret without showing it, check it and store it."""
    kind = secrets.kind_of(name, generate=generate)
    with reached(profile, state) as hand:
        secrets.require_real_broker(hand, name)
        if name == CONSUMER and hand.running and profile != "cloud":
            raise UserError(
                "the system runs with the key that it has", remedy="end it with Ctrl-C, store, and start again"
            )
        value = secrets.generated() if generate else secrets.value_of(name, _answers(kind))
        stored = secrets.store(hand.open_vault(), name, value)
    if name == ALPACA_KEY and profile != "cloud":
        from infra.running.libraries import install
        from shared.sources.alpaca import Alpaca

        install(Alpaca.name, say=say)
    left = f", {stored.left} could not be destroyed: store it again later" if stored.left else ""
    done = f"Stored {name}; {stored.destroyed} older destroyed{left}.{_FROM_WHEN.get(name, '')}\n"
    show(stored, lambda: sys.stdout.write(done), json=json)


@contextmanager
def leading_to(link: str, private: Path | None) -> Iterator[str]:
    """Give the address of a page that leads to a link, for as long as it is needed.

    What a browser is started with is in its arguments, which every user of the machine may read: so it is a file that
    only its owner may read, below `private` where a browser in a sandbox of its own still finds it.
    """
    with TemporaryDirectory(prefix="sign-in-", dir=private, ignore_cleanup_errors=True) as folder:
        page = Path(folder).resolve() / "sign-in.html"
        page.touch(mode=0o600)
        page.write_text(_PAGE.format(link=escape(link, quote=True)), encoding="utf-8")
        yield page.as_uri()


def asking_code(hand: Hand, *, browser: bool) -> Callable[[str], str]:
    """Give what asks for the code of a page: whole the first time, and in a line where no code was typed."""
    asked = set[str]()

    def ask(page: str) -> str:
        again = page in asked
        asked.add(page)
        if again:
            say("That was no code. Type the code that the page shows, or paste the address to which it leads you.")
        return _code(page, hand, browser=browser and not again, told=again)

    return ask


def _code(page: str, hand: Hand, *, browser: bool, told: bool) -> str:
    """Ask for the code, which may be seen: it is good once, for minutes, and a mistake has to be seen."""
    if not told:
        whose = "the simulated E*TRADE" if hand.simulated else "E*TRADE"
        say(f"Open this page of {whose} and accept:", page)
        say("Type the code that it shows, or paste the address to which it leads your browser.")
    with ExitStack() as shown:
        if browser:
            _open(page, hand.private, shown, "No browser was found here: open the page yourself.")
        if sys.stdin.isatty():
            sys.stderr.write("Code: ")
            sys.stderr.flush()
        return sys.stdin.readline().strip()


def _account(accounts: tuple[Account, ...]) -> Account | None:
    """Ask which account is traded from now on, by its last digits; what is not one of them chooses none."""
    say("Which account is traded from now on? Everything in this system's books must belong to it.")
    for one in accounts:
        say(f"  ...{one.number[-4:]}  {one.mode}")
    say("Type its last four digits, or nothing to leave it as it is.")
    wanted = sys.stdin.readline().strip()
    fitting = [one for one in accounts if wanted and one.number[-4:] == wanted]
    return fitting[0] if len(fitting) == 1 else None


def _answers(kind: secrets.Kind) -> tuple[str, ...]:
    if sys.stdin.isatty():
        return hidden(kind.asks)
    return tuple(line for line in sys.stdin.read().splitlines() if line.strip())


def hidden(asks: tuple[str, ...]) -> tuple[str, ...]:
    """Ask on the terminal without showing the answer, or read a line each from what is piped in."""
    if sys.stdin.isatty():
        return tuple(getpass.getpass(f"{ask}: ") for ask in asks)
    return tuple(sys.stdin.readline().strip() for _ in asks)
