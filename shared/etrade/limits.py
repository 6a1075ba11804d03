"""Never more calls a second than this function's share of E*TRADE's limits.

E*TRADE counts per consumer key and module (etrade-api.md 6: Market 4, Orders 2, Accounts 2 a second); several
functions share one key. A shared counter would cost a write per call, so the rates are split by role instead
(order-safety.md 5) and each function keeps its own share: what no role exceeds, all together do not exceed.

Calls are spaced evenly: a caller reserves the next free slot and sleeps until it, so a burst never leaves. One that
leaves later than its slot, because the machine was busy, pushes back those behind it.
The lock guards only the reservation and is never held over a port call. One `Limits` belongs to one function
instance; brokers of the same function share it.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from threading import Lock

from shared.errors import InvariantBroken
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


# Calls a second of each role; a module that is missing must not be called in that role.
SHARES: dict[Role, dict[Module, int]] = {
    Role.SCAN: {Module.MARKET: 3},
    Role.PLACEMENT: {Module.MARKET: 1, Module.ORDERS: 1, Module.ACCOUNTS: 1},
    Role.SETTLEMENT: {Module.ORDERS: 1, Module.ACCOUNTS: 1},
}
MARKET_PER_SECOND = 4

_SECOND_US = 1_000_000
# Calls that leave a second apart may arrive a little closer: what the network may vary is added to every interval.
_GUARD_US = 60_000
_MINUTE_US = 60 * _SECOND_US
_LONGEST_PAUSE_S = 8
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Pace:
    """The next free slot of one module."""

    interval: timedelta
    next_at: datetime = _LONG_AGO
    sent_at: datetime = _LONG_AGO
    strikes: int = 0
    lock: Lock = field(default_factory=Lock)


class Limits:
    """The turns of one function at each module.

    `market_per_minute` and `market_burst` (calls within one second) are caps on what all roles together may
    ask of Market; this role keeps its part of them, and a cap above E*TRADE's own limit changes nothing.
    """

    def __init__(
        self, *, clock: Clock, role: Role, market_per_minute: int = 240, market_burst: int = MARKET_PER_SECOND
    ) -> None:
        if market_per_minute < 1 or market_burst < 1:
            raise InvariantBroken("a Market cap below one call")
        self._clock = clock
        self._role = role
        self._paces = {
            module: _Pace(timedelta(microseconds=_interval_us(module, share, market_per_minute, market_burst)))
            for module, share in SHARES[role].items()
        }

    def take(self, module: Module, *, within: timedelta | None = None) -> bool:
        """Wait for the next turn at a module.

        With `within`, a turn that is further away is not taken and the answer is False. Raises
        InvariantBroken when the role has no share of the module.
        """
        pace = self._pace(module)
        now = self._clock.now()
        with pace.lock:
            at = max(now, pace.next_at)
            if within is not None and at - now > within:
                return False
            pace.next_at = at + pace.interval
        if at > now:
            self._clock.sleep_until(at)
        while (free := pace.sent_at + pace.interval) > self._clock.now():
            self._clock.sleep_until(free)  # the call before left late
        return True

    def sent(self, module: Module) -> None:
        """Note that a call leaves now: the next one keeps its distance from this instant, not from its own slot."""
        self._pace(module).sent_at = self._clock.now()

    def throttled(self, module: Module) -> None:
        """Stop a module after a throttle answer: 1 s, then 2, 4, 8 s while the answers go on."""
        pace = self._pace(module)
        now = self._clock.now()
        with pace.lock:
            pause = timedelta(seconds=min(2**pace.strikes, _LONGEST_PAUSE_S))
            pace.strikes = min(pace.strikes + 1, _LONGEST_PAUSE_S)
            pace.next_at = max(pace.next_at, now + pause)

    def answered(self, module: Module) -> None:
        """Forget earlier throttle answers: the broker works for us again."""
        pace = self._pace(module)
        if pace.strikes:
            with pace.lock:
                pace.strikes = 0

    def _pace(self, module: Module) -> _Pace:
        pace = self._paces.get(module)
        if pace is None:
            raise InvariantBroken(f"{self._role} has no share of the {module} limit")
        return pace


def _interval_us(module: Module, share: int, per_minute: int, burst: int) -> int:
    """Give the microseconds between two calls, rounded up so that the rate is never exceeded."""
    interval = -(-_SECOND_US // share) + _GUARD_US
    if module is not Module.MARKET:
        return interval
    by_minute = -(-_MINUTE_US * MARKET_PER_SECOND // (per_minute * share))
    by_burst = -(-_SECOND_US * MARKET_PER_SECOND // (burst * share))
    return max(interval, by_minute, by_burst)
