"""Never more calls a second than E*TRADE's limits, whatever of ours calls.

E*TRADE counts per consumer key and module (etrade-api.md 6: Market 4, Orders 2, Accounts 2 a second); several
functions share one key. Orders and Accounts are called by several instances of two functions, and a stop must not wait
for an entry: their turns are the account's (`shared.etrade.turns`), at the cost of a read and a write of the store for
each call. Market is asked every second by one scan: its rate is split by role, and each function keeps its own share.
On paper settlement has a share, too, the scan's third call, for it lets what rests meet the market. Two instances of it
that hand over to each other may make one call more in that second.

Calls to Market are spaced evenly: a caller reserves the next free slot and sleeps until it, so a burst never leaves.
One that leaves later than its slot, because the machine was busy, pushes back those behind it. The lock guards only the
reservation and is never held over a port call. One `Limits` belongs to one function instance; brokers of the same
function share it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from threading import Lock

from shared.domain.turns import Purpose, Turn
from shared.errors import InvariantBroken
from shared.etrade.turns import AccountTurns
from shared.ports import Clock


class Module(StrEnum):
    """The parts of the API that E*TRADE counts apart."""

    MARKET = "market"
    ACCOUNTS = "accounts"
    ORDERS = "orders"


class Role(StrEnum):
    """Who calls."""

    SCAN = "scan"
    PLACEMENT = "placement"
    SETTLEMENT = "settlement"


MARKET_PER_SECOND = 4
MARKET_SHARES = {Role.SCAN: 3, Role.PLACEMENT: 1}
"""Calls a second of each role; one that is missing must not call Market."""
PAPER_SHARES = {Role.SCAN: 2, Role.PLACEMENT: 1, Role.SETTLEMENT: 1}
"""The same on paper."""

_SECOND_US = 1_000_000
# Calls that leave a second apart may arrive a little closer: what the network may vary is added to every interval.
_GUARD_US = 60_000
_MINUTE_US = 60 * _SECOND_US
_LONGEST_PAUSE_S = 8
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Pace:
    """The next free slot of Market."""

    interval: timedelta
    next_at: datetime = _LONG_AGO
    sent_at: datetime = _LONG_AGO
    strikes: int = 0
    lock: Lock = field(default_factory=Lock)


class Limits:
    """The turns of one function instance at each module; without `turns` it may not call Orders and Accounts.

    `market_per_minute` and `market_burst` (calls within one second) are caps on what all roles together may
    ask of Market; this role keeps its part of them, which `shares` says, and a cap above E*TRADE's own limit changes
    nothing.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        role: Role,
        turns: AccountTurns | None,
        market_per_minute: int = 240,
        market_burst: int = MARKET_PER_SECOND,
        shares: Mapping[Role, int] = MARKET_SHARES,
    ) -> None:
        if market_per_minute < 1 or market_burst < 1:
            raise InvariantBroken("a Market cap below one call")
        self._clock = clock
        self._role = role
        self._turns = turns
        self._pace: _Pace | None = None
        if (share := shares.get(role)) is not None:
            self._pace = _Pace(timedelta(microseconds=_interval_us(share, market_per_minute, market_burst)))

    def take(self, module: Module, purpose: Purpose, *, within: timedelta | None = None) -> Turn | None:
        """Wait for the next turn at a module and give it.

        None when it is further away than `within`, or than anybody waits. Raises NotSent when the store does not say
        whose turn it is, InvariantBroken when the role has no share of the module.
        """
        if module is not Module.MARKET:
            return self._account().take(module, purpose, within=within)
        pace = self._market()
        now = self._clock.now()
        with pace.lock:
            at = max(now, pace.next_at)
            if within is not None and at - now > within:
                return None
            pace.next_at = at + pace.interval
        if at > now:
            self._clock.sleep_until(at)
        while (free := pace.sent_at + pace.interval) > self._clock.now():
            self._clock.sleep_until(free)  # the call before left late
        return Turn(lane=0, at=at, until=at + pace.interval)

    def sent(self, module: Module, turn: Turn) -> None:
        """Note that a turn's call leaves now: the next one keeps its distance from this instant, not from its slot."""
        if module is Module.MARKET:
            self._market().sent_at = self._clock.now()
        else:
            self._account().sent(module, turn)

    def throttled(self, module: Module) -> None:
        """Stop a module after a throttle answer: 1 s, then 2, 4, 8 s while the answers go on."""
        if module is not Module.MARKET:
            self._account().throttled(module)
            return
        pace = self._market()
        now = self._clock.now()
        with pace.lock:
            pause = timedelta(seconds=min(2**pace.strikes, _LONGEST_PAUSE_S))
            pace.strikes = min(pace.strikes + 1, _LONGEST_PAUSE_S)
            pace.next_at = max(pace.next_at, now + pause)

    def answered(self, module: Module) -> None:
        """Forget earlier throttle answers of Market: the broker works again. The account's are forgotten by age."""
        if module is Module.MARKET and self._pace is not None and self._pace.strikes:
            with self._pace.lock:
                self._pace.strikes = 0

    def _account(self) -> AccountTurns:
        if self._turns is None:
            raise InvariantBroken(f"{self._role} has no turns of the account")
        return self._turns

    def _market(self) -> _Pace:
        if self._pace is None:
            raise InvariantBroken(f"{self._role} has no share of the market limit")
        return self._pace


def _interval_us(share: int, per_minute: int, burst: int) -> int:
    """Give the microseconds between two calls to Market, rounded up so that the rate is never exceeded."""
    interval = -(-_SECOND_US // share) + _GUARD_US
    by_minute = -(-_MINUTE_US * MARKET_PER_SECOND // (per_minute * share))
    by_burst = -(-_SECOND_US * MARKET_PER_SECOND // (burst * share))
    return max(interval, by_minute, by_burst)
