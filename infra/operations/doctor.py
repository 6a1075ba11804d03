"""Whether all that a key, or a system, needs is there and right: one finding for each thing, with its remedy.

What can go wrong: one thing that is broken hides the others; what was not looked at is taken for well; looking changes
something. What this promises: every check is made whatever the others found; what cannot be seen from here is told as
not checked, never as well; nothing is written but a file that is taken away again, one request token is asked for and
left to run out, and each address for notices gets one notice, unless that is not wanted.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from infra.one_machine.world_file import SIMULATOR
from infra.operations import key, look, tables
from infra.operations.login import authority_of
from infra.operations.market import market_data
from infra.operations.profiles import KEY_ALONE, Hand
from infra.operations.reads import Reads, source_of
from infra.operations.token_view import SAID, token_view
from infra.simulated_day.problems import UserError
from shared import settings
from shared.apprise_notifier import AppriseNotifier
from shared.domain.base.calendar import new_york_day
from shared.domain.broker import skew
from shared.domain.telling.left_out import said
from shared.domain.telling.wording import called
from shared.errors import (
    AuthError,
    BrokerError,
    ConfigError,
    DeskError,
    KeyRefused,
    NotSent,
    SourceKeyRefused,
    Undelivered,
)
from shared.etrade.skew import BrokerClock
from shared.frozen import frozen
from shared.ports import Clock, HistorySource
from shared.sources.alpaca import Alpaca, AlpacaKey
from shared.strategies import config as configurations
from shared.topology import ALPACA_KEY, HALT_KEY, NOTIFY_ADDRESSES, SIGN_IN_KEY
from shared.usecases.base.links import halt_key, sign_in_key
from shared.usecases.base.pins import pinned
from shared.wiring.addresses import stored_addresses
from shared.wiring.credentials import stored_consumer
from shared.wiring.keys import stored_key

ENOUGH_BYTES = 1_000_000_000
_CLOCK_CALLS = skew.AGREE
_TITLE, _TEXT = "A test", "`strategy doctor` sent this test. You need not do anything."
_NETWORK = "check the network: HTTPS to api.etrade.com and apisb.etrade.com must be allowed, without a proxy"
_NO_KEY = "set ETRADE_CONSUMER_KEY and ETRADE_CONSUMER_SECRET, or run `strategy secrets set etrade-consumer`"


class Result(StrEnum):
    """What came of one check."""

    OK = "ok"
    PROBLEM = "problem"
    UNCHECKED = "not checked"


@frozen
class Finding:
    """One thing that was looked at; `remedy` stands beside a problem."""

    check: str
    result: Result
    says: str
    remedy: str = ""


def _ok(check: str, says: str) -> Finding:
    return Finding(check=check, result=Result.OK, says=says)


def _problem(check: str, says: str, remedy: str) -> Finding:
    return Finding(check=check, result=Result.PROBLEM, says=says, remedy=remedy)


def _unchecked(check: str, says: str) -> Finding:
    return Finding(check=check, result=Result.UNCHECKED, says=says)


@frozen
class Patient:
    """What is looked at: a hand, the environment it was reached with, and whether it is in the cloud.

    `alpaca` makes the source that a stored key is tried with.
    """

    hand: Hand
    environ: Mapping[str, str]
    cloud: bool = False
    alpaca: Callable[[AlpacaKey, Clock], HistorySource] = lambda key, clock: Alpaca(key, clock=clock)

    @property
    def alone(self) -> bool:
        """Whether there is a key and no system."""
        return self.hand.operator == KEY_ALONE

    @property
    def simulated(self) -> bool:
        """Whether the broker is the simulator, whose settings and watch list are its own."""
        return self.hand.simulated


def examine(patient: Patient, *, notice: bool) -> Iterator[Finding]:
    """Make every check, in this order; `notice` sends one to each address."""
    checks: tuple[tuple[str, Callable[[Patient], Iterable[Finding]]], ...] = (
        ("settings", _settings), ("disk", _disk), ("file access", _permissions), ("keys", _keys), ("sign-in", _token),
        ("strategies", _strategies), ("connection", _broker), ("alpaca", _alpaca),
    )  # fmt: skip
    for name, check in checks:
        for found in _made(name, partial(check, patient)):
            yield replace(found, says=called(found.says, SIMULATOR)) if patient.simulated else found
    yield from _made("notices", partial(_notices, patient, send=notice))


def _made(name: str, check: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Make one check; what it raises is its finding."""
    try:
        yield from check()
    except ConfigError as wrong:
        yield _problem(name, "; ".join(wrong.problems), "correct it, then run `strategy doctor` again")
    except UserError as problem:
        yield _problem(name, problem.what, problem.remedy)
    except AuthError as refused:
        yield _problem("sign-in", f"E*TRADE does not accept the sign-in: {refused.detail}", "sign in again")
    except NotSent as gone:
        yield _problem("connection", f"E*TRADE cannot be reached: {gone.detail}", _NETWORK)
    except (DeskError, OSError) as broken:
        yield _problem(name, f"the check failed: {broken}", "run `strategy doctor` again in a minute")


def _settings(patient: Patient) -> Iterator[Finding]:
    given = patient.environ
    if patient.cloud:
        yield _unchecked("settings", "the functions' settings are in the stack; `make cloud-preview` checks them")
        return
    if patient.simulated:
        yield _unchecked("settings", "a simulated day has its own settings")
        return
    wrong = settings.wrong_ones(given) if patient.alone else settings.problems_of(settings.load, given)
    for problem in (*wrong, *configurations.problems_of(given.get("STRATEGY_CONFIG", settings.DEFAULT_CONFIG))):
        yield _problem("settings", problem, "correct it in the environment of `strategy up`")
    if not wrong:
        yield _ok("settings", "all are valid" if patient.alone else "all are set and valid")


def _disk(patient: Patient) -> Iterator[Finding]:
    if patient.cloud:
        yield _unchecked("disk", "a system in the cloud needs none")
        return
    folder = Path(patient.hand.name)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
            file.flush()
    except OSError as problem:
        remedy = f"free disk space, or make {folder} writable"
        yield _problem("disk", f"{folder} cannot be written: {problem.strerror}", remedy)
        return
    yield room(shutil.disk_usage(folder).free)


def room(free: int) -> Finding:
    """Judge so many free bytes."""
    says = f"{free / 1e9:,.1f} GB are free"
    return (
        _ok("disk", says) if free >= ENOUGH_BYTES else _problem("disk", says, "free disk space: 1 GB or more is needed")
    )


def _permissions(patient: Patient) -> Iterator[Finding]:
    if patient.cloud:
        yield _unchecked(
            "file access", "Google Cloud's permissions are not read here; `make cloud-preview` compares them"
        )
        return
    folder = Path(patient.hand.name)
    own = [folder, *(one for name in ("vault.bin", "world.json") if (one := folder / name).exists())]
    open_ones = [str(one) for one in own if one.stat().st_mode & 0o077]
    if open_ones:
        remedy = f"remove their access: chmod go-rwx {' '.join(open_ones)}"
        yield _problem("file access", f"other users of this machine have access to {', '.join(open_ones)}", remedy)
    else:
        yield _ok("file access", f"only this user has access to {folder} and its secrets")


def _keys(patient: Patient) -> Iterator[Finding]:
    hand, vault = patient.hand, patient.hand.open_vault()
    try:
        stored_consumer(vault)
    except ConfigError as missing:
        yield _problem("keys", "; ".join(missing.problems), _NO_KEY)
    else:
        yield from _accepted(hand)
    if patient.alone:
        return
    for read, name in ((sign_in_key, SIGN_IN_KEY), (halt_key, HALT_KEY)):
        try:
            read(vault, hand.operator)
        except ConfigError as missing:
            yield _problem(
                "keys", "; ".join(missing.problems), f"generate one: `strategy secrets set {name} --generate`"
            )
        else:
            yield _ok("keys", f"{name} is stored")


def _accepted(hand: Hand) -> Iterator[Finding]:
    """Ask E*TRADE for a request token, which proves the pair and runs out by itself."""
    if hand.simulated and hand.http is None:
        yield _unchecked("keys", "the simulator runs only while its system runs")
        return
    try:
        authority_of(hand, hand.open_vault()).request_token()
    except KeyRefused as refused:
        remedy = (
            "compare it with your keys on E*TRADE's developer page: a sandbox key works in the sandbox only, and keys "
            "expire without notice; store a new one with `strategy secrets set etrade-consumer`"
        )
        yield _problem("keys", f"{source_of(hand)} does not accept the key: {refused.detail}", remedy)
    except AuthError as refused:
        remedy = "set this machine's clock, then compare key and secret with E*TRADE's developer page"
        yield _problem("keys", f"E*TRADE refused to start a sign-in: {refused.detail}", remedy)
    except NotSent:
        raise
    except BrokerError as broken:
        yield _problem(
            "keys",
            f"E*TRADE gave no clear answer to the key: {broken.detail}",
            "run `strategy doctor` again in a minute",
        )
    else:
        yield _ok("keys", "E*TRADE accepts the key")


def _token(patient: Patient) -> Iterator[Finding]:
    view = token_view(patient.hand)
    if view.signs_in:
        alone = f"`strategy accounts --broker {'sandbox' if patient.hand.sandbox else 'production'}`"
        remedy = f"sign in with {alone if patient.alone else '`strategy login`'}"
        yield _problem("sign-in", SAID[view.state], remedy)
    else:
        yield _ok("sign-in", f"signed in {SAID[view.state]}, by our record")


def _strategies(patient: Patient) -> Iterator[Finding]:
    """Name the strategies that are left out of today's session; a key alone asks none."""
    if patient.alone:
        return
    unread, desk = list[str](), patient.hand.desk
    found = look.left_out_of(desk.store, desk.clock.now(), unread)
    for one in found:
        remedy = "correct its file, or remove it with `strategy config edit`; it runs again in the next session"
        yield _problem("strategies", f"left out: {said(one)}", remedy)
    if unread:
        yield _unchecked("strategies", f"{unread[0]} cannot be read")
    elif not found:
        yield _ok("strategies", "none is left out today")


def _broker(patient: Patient) -> Iterator[Finding]:
    """Read what a token opens: accounts and quotes, and with their answers the clock."""
    hand, clock = patient.hand, BrokerClock(patient.hand.desk.clock)
    if not key.signs(hand) or (hand.simulated and hand.http is None):
        for name in ("connection", "account", "clock", "watch list"):
            yield _unchecked(name, "it needs a sign-in and a running broker")
        return
    reads = key.reads(hand, broker_clock=clock)
    for _ in range(_CLOCK_CALLS - 1):
        reads.accounts()
    yield _ok("connection", f"{source_of(hand)} answers and accepts the sign-in")
    yield from _made("account", partial(_account, patient, reads))
    yield from _made("watch list", partial(_watch_list, patient, reads))
    yield _clock(clock)


def _account(patient: Patient, reads: Reads) -> Iterator[Finding]:
    hand = patient.hand
    known, found = pinned(hand.desk.store, hand.operator, hand.account_id), reads.accounts()
    active = [one for one in found if one.may_be_active]
    if patient.alone and active:
        yield _ok("account", f"{len(active)} of {len(found)} accounts are active")
    elif not known.known:
        yield _problem("account", "no account is chosen", "choose one with `strategy login`")
    elif not known.among(found):
        remedy = "sign in as the right user, or choose another account: `strategy login --change-account`"
        yield _problem("account", "this sign-in does not have the chosen account as an active one", remedy)
    else:
        yield _ok("account", "the chosen account is active")
    odd = sorted({name for one in found for name in one.odd})
    if odd:
        yield _problem(
            "account", f"E*TRADE's account list lacks {', '.join(odd)}", "run `strategy probe` and read its report"
        )


def _watch_list(patient: Patient, reads: Reads) -> Iterator[Finding]:
    given = patient.environ.get("STRATEGY_WATCH_LIST", "")
    if patient.simulated or patient.cloud or not given.strip():
        kept = "the simulated day's own" if patient.simulated else "in the stack"
        where = kept if patient.simulated or patient.cloud else "not set (STRATEGY_WATCH_LIST)"
        yield _unchecked("watch list", f"it is {where}")
        return
    wanted = settings.load(settings.LEAST | {"STRATEGY_WATCH_LIST": given}).watch_list
    found = tables.quotes(patient.hand, market_data(patient.hand, reads), wanted)
    missing = [one.symbol for one in found.rows if not one.fresh]
    if missing:
        remedy = "look up each symbol at E*TRADE; correct it in STRATEGY_WATCH_LIST or remove it"
        why = "; ".join(dict.fromkeys(one.reasons[0] for one in found.rows if not one.fresh))
        yield _problem("watch list", f"no usable quote of {', '.join(missing)}: {why}", remedy)
    if found.delayed is not None:
        yield _problem("watch list", "quotes are delayed", found.delayed)
    if not missing and found.delayed is None:
        yield _ok("watch list", f"all {len(found.rows)} symbols have quotes in real time")


def _clock(clock: BrokerClock) -> Finding:
    ahead = clock.ahead()
    if ahead is None:
        return _unchecked("clock", "E*TRADE's answers had no Date header")
    if skew.judged(ahead) is skew.Off.RIGHT:
        return _ok("clock", "no answer shows an error of 2 s or more")
    remedy = "set this machine's clock from the network (NTP), then run `strategy doctor` again"
    return _problem("clock", f"this machine's clock is {skew.said(ahead)}", remedy)


def _alpaca(patient: Patient) -> Iterator[Finding]:
    """Ask Alpaca for a week of one symbol with the key that is stored; a system needs none, a key alone has none."""
    if patient.alone or patient.simulated:
        return
    stored, clock = stored_key(patient.hand.open_vault(), ALPACA_KEY, AlpacaKey), patient.hand.desk.clock
    if stored is None:
        yield _unchecked("alpaca", "no key is stored; optional, for daily bars: `strategy secrets set alpaca-key`")
        return
    if find_spec("alpaca") is None:
        yield _unchecked("alpaca", "its library is not installed; `strategy up` and `strategy history` install it")
        return
    (_, key), today = stored, new_york_day(clock.now())
    try:
        patient.alpaca(key, clock).daily("SPY", start=today - timedelta(days=7), before=today)
    except SourceKeyRefused as refused:
        remedy = "compare it with Alpaca's page of API keys, then store it again: `strategy secrets set alpaca-key`"
        yield _problem("alpaca", refused.detail, remedy)
    else:
        yield _ok("alpaca", "Alpaca accepts the key and returns bars")


def _notices(patient: Patient, *, send: bool) -> Iterator[Finding]:
    addresses = _addresses(patient)
    if not addresses:
        remedy = "store one: `strategy secrets set notify-addresses`, or STRATEGY_NOTIFY_ADDRESSES on one machine"
        yield _problem("notices", "no address is stored, so no notice reaches you", remedy)
    elif not send:
        yield _unchecked("notices", f"{len(addresses)} address(es), not tested, as you asked")
        return
    for place, address in enumerate(addresses, start=1):
        one = AppriseNotifier(addresses=partial(_alone, address), journal=patient.hand.desk.journal)
        try:
            one.tell(title=_TITLE, text=_TEXT, urgent=False)
        except Undelivered:
            remedy = "check its form in apprise's list of services, and that the service works; then store it again"
            yield _problem("notices", f"address {place} did not accept a test notice", remedy)
        else:
            yield _ok("notices", f"address {place} accepted a test notice; check that it arrived")


def _alone(address: str) -> tuple[str, ...]:
    return (address,)


def _addresses(patient: Patient) -> tuple[str, ...]:
    vault = patient.hand.open_vault()
    found = settings.notify_addresses(patient.environ) or stored_addresses(vault)
    if found is None:
        remedy = "store it again: `strategy secrets set notify-addresses`"
        raise UserError(f"the secret {NOTIFY_ADDRESSES} cannot be used", remedy=remedy)
    return found
