"""One probe from a hand to two files.

What can go wrong: the probe takes the calls that a system needs for its stops; half a file is left; a folder cannot be
written after ten minutes. What this promises: where a system runs that uses the key, nothing is probed within the hours
in which it works; the files are tried before the first call, and written whole.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from requests.adapters import BaseAdapter

from infra.operations import key
from infra.operations.probing.capture import Redaction, capture, secrets_of
from infra.operations.probing.facts import Fact, Verdict
from infra.operations.probing.heard import Ear
from infra.operations.probing.measure import Probe, Tell
from infra.operations.probing.pace import Pace
from infra.operations.probing.report import facts, report
from infra.operations.profiles import Hand
from infra.operations.reads import source_of
from infra.simulated_day.files import require_writable, write_atomically
from infra.simulated_day.hours import NEW_YORK
from infra.simulated_day.problems import UserError
from shared.codec import dumps
from shared.domain.base.calendar import session_of
from shared.errors import DeskError
from shared.etrade.skew import BrokerClock
from shared.frozen import frozen
from shared.usecases.base.pins import pinned

REPORT, CAPTURE = "probe-report.md", "probe-capture.json"
SYMBOLS = ("SPY", "IBM", "BRK.B", "BRK.A")
"""Two that trade each second, one with a dot, and one that trades seldom."""
WORKS = (7, 17)
"""The hours of New York from which and before which a system may call E*TRADE at any moment."""
MARGIN = timedelta(minutes=3)


@frozen
class Probed:
    """What came of a probe: its facts, and where report and capture are."""

    source: str
    report: str
    capture: str
    facts: tuple[Fact, ...]

    @property
    def contradictions(self) -> int:
        """How many assumptions are wrong."""
        return sum(one.verdict is Verdict.CONTRADICTS for one in self.facts)


def require_alone(hand: Hand, minutes: float) -> None:
    """Refuse beside a system that may need its calls; raises UserError."""
    if hand.running and not hand.simulated and _works(hand.desk.clock.now(), minutes):
        what = f"{hand.name} runs, and its stops and exits need the calls that the probe would use up"
        remedy = f"probe before {WORKS[0]}:00 or after {WORKS[1]}:00 New York, or with a key that no system uses"
        raise UserError(what, remedy=remedy)


def _works(now: datetime, minutes: float) -> bool:
    for at in (now, now + timedelta(minutes=minutes) + MARGIN):
        there = at.astimezone(NEW_YORK)
        if WORKS[0] <= there.hour < WORKS[1] and _trades(there):
            return True
    return False


def _trades(there: datetime) -> bool:
    try:
        return session_of(there.date()) is not None
    except ValueError:
        return True  # a day that the calendar does not cover may be one


def probe(hand: Hand, *, minutes: float, symbols: Sequence[str], out: Path, tell: Tell) -> Probed:
    """Probe and write both files into a folder; raises UserError, TokenDead, ConfigError, StoreDown."""
    require_alone(hand, minutes)
    written, captured = out / REPORT, out / CAPTURE
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise UserError(f"{out} cannot be made: {problem.strerror}", remedy="name another folder with --out") from None
    for path in (written, captured):
        require_writable(path)
    desk, pace, ears = hand.desk, Pace(hand.desk.clock), list[Ear]()
    heard_clock = BrokerClock(desk.clock)

    def listening(way: BaseAdapter) -> Ear:
        ears.append(Ear(way, desk.clock))
        return ears[-1]

    reads = key.reads(hand, limits=pace, over=listening, broker_clock=heard_clock)
    one = Probe(
        reads=reads, ear=ears[0], pace=pace, clock=desk.clock, chance=desk.chance, symbols=symbols, tell=tell,
        sandbox=hand.sandbox, ours=pinned(desk.store, hand.operator, hand.account_id).is_ours,
    )  # fmt: skip
    seen = one.run(minutes)
    seen.ahead, seen.beside = heard_clock.ahead(), hand.running
    source, secrets = source_of(hand), secrets_of(seen, _own(hand))
    found = facts(seen)
    case = capture(seen, Redaction(symbols=frozenset(seen.symbols), secrets=secrets), source=source)
    write_atomically(captured, dumps(case) + b"\n")
    text = report(seen, found, secrets=secrets, source=source, capture=CAPTURE)
    write_atomically(written, text.encode())
    return Probed(source=source, report=str(written), capture=str(captured), facts=found)


def _own(hand: Hand) -> tuple[str, ...]:
    """Give what this key itself must not be known by."""
    try:
        given = key.credentials_of(hand)
    except DeskError:
        return ()
    token = () if given.token is None else (given.token.token, given.token.secret)
    return (given.consumer_key, given.consumer_secret, hand.account_id, *token)
