"""Never more calls a second than E*TRADE's limits, whatever of ours calls.

E*TRADE counts per consumer key and module (etrade-api.md 6: Market 4, Orders 2, Accounts 2 a second); several
functions share one key. Orders and Accounts are called by several instances of two functions, and a stop must not wait
for an entry: their turns are the account's (`shared.etrade.turns`), at the cost of a read and a write of the store for
each call. Market is asked every second by one scan: its rate is split by role, and each function keeps its own share.
On paper settlement has a share, too, the scan's third call, for it lets what rests meet the market. Two instances of it
that hand over to each other may make one call more in that second.

Calls to Market leave as they come, but never more than this role's share in any window of a second and the guard, and
never closer than `APART`: the calls of one tick leave together, and the next tick's are not late for it. Caps below
E*TRADE's own limit space the calls evenly instead. Each caller reserves the next free slot and sleeps until it; one
that leaves later than its slot, because the machine was busy, pushes back those behind it, for what counts is when
calls left. A clock that is set back costs no more than a window. Lock and lists are never held over a port call. One
`Limits` belongs to one function instance, and brokers of the same function share it. Where two instances hand over, the
one that begins has not seen the other's last calls: after a pause it makes no call more than it must.
"""

from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from threading import Lock

from shared.domain.broker.turns import Purpose, Turn
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

APART = timedelta(milliseconds=60)
"""Two calls of one function to Market never leave closer together."""
GUARD = timedelta(milliseconds=60)
"""Calls that leave a second apart may arrive a little closer: so much is added for what the network may vary."""
LATE = timedelta(milliseconds=100)
"""So late a second's first call may be for those that fit in before: the guard, and what a machine wakes late."""
_WINDOW = timedelta(seconds=1) + GUARD
_PAUSE = timedelta(seconds=3)
_SECOND_US = 1_000_000
_MINUTE_US = 60 * _SECOND_US
_LONGEST_PAUSE_S = 8
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class _Pace:
    """One function's calls to Market: at most `share` in any window, `apart` from each other."""

    def __init__(self, share: int, apart: timedelta) -> None:
        self.share = share
        self.apart = apart
        self.slots: deque[datetime] = deque(maxlen=share)
        self.left: deque[datetime] = deque(maxlen=share)
        self.rests_until = _LONG_AGO
        self.strikes = 0
        self.lock = Lock()

    def doubt(self, now: datetime) -> None:
        """Take calls that left later than it is now for calls of now: a clock that was set back must not stop us."""
        if self.left and self.left[-1] > now:
            self.left = deque((min(one, now) for one in self.left), maxlen=self.share)
            self.slots.clear()
            self.rests_until = min(self.rests_until, now + timedelta(seconds=_LONGEST_PAUSE_S))

    def free(self, calls: deque[datetime], at: datetime) -> datetime:
        """Give the first instant from `at` on at which a call may follow these."""
        at = max(at, self.rests_until)
        if calls:
            at = max(at, calls[-1] + self.apart)
        return max(at, calls[0] + _WINDOW) if len(calls) == self.share else at

    def reserve(self, at: datetime) -> datetime:
        """Take the first free slot from `at` on."""
        slot = self.free(self.slots, self.free(self.left, at))
        self.slots.append(slot)
        return slot

    def leaves(self, now: datetime) -> datetime:
        """Give when a call may leave that wants to now: `now` itself, and then it counts as gone, or later."""
        free = self.free(self.left, now)
        if free == now:
            self.left.append(now)
        return free

    def gone(self, turn: Turn, at: datetime) -> None:
        """Note that the call of a turn left later than its turn came."""
        if turn.at in self.left:
            self.left.remove(turn.at)
            self.left = deque(sorted((*self.left, at)), maxlen=self.share)

    def room(self, now: datetime, *, besides: int, keep: datetime) -> int:
        """Give how many calls may follow `besides` others so that one can still leave at `keep`, or `LATE` after it.

        None after a pause: somebody else may have called in it.
        """
        if not self.left or now - self.left[-1] > _PAUSE:
            return 0
        then = _Pace(self.share, self.apart)
        then.slots, then.left, then.rests_until = self.slots.copy(), self.left.copy(), self.rests_until
        for _ in range(besides):
            then.left.append(then.reserve(now))
        for more in range(self.share):
            then.left.append(then.reserve(now))
            if then.free(then.slots, then.free(then.left, keep)) > keep + LATE:
                return more
        return self.share


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
            self._pace = _Pace(share, _apart(share, market_per_minute, market_burst))

    def take(self, module: Module, purpose: Purpose, *, within: timedelta | None = None) -> Turn | None:
        """Wait for the next turn at a module and give it.

        None when it is further away than `within`, or than anybody waits. Raises NotSent when the store does not say
        whose turn it is, InvariantBroken when the role has no share of the module.
        """
        if module is not Module.MARKET:
            return self._account().take(module, purpose, within=within)
        pace, now = self._market(), self._clock.now()
        with pace.lock:
            pace.doubt(now)
            at = pace.free(pace.slots, pace.free(pace.left, now))
            if within is not None and at - now > within:
                return None
            pace.reserve(now)
            at = pace.leaves(now) if at == now else at
        while at > now:
            self._clock.sleep_until(at)
            now = self._clock.now()
            with pace.lock:
                pace.doubt(now)
                at = pace.leaves(now)
        return Turn(lane=0, at=at, until=at + pace.apart)

    def room(self, *, besides: int, keep: datetime) -> int:
        """Give how many more calls to Market fit in now, after `besides` others, without delaying one at `keep`."""
        pace, now = self._market(), self._clock.now()
        with pace.lock:
            return pace.room(now, besides=besides, keep=keep)

    def sent(self, module: Module, turn: Turn) -> None:
        """Note that a turn's call leaves now: the next one keeps its distance from this instant, not from its slot."""
        if module is Module.MARKET:
            pace, now = self._market(), self._clock.now()
            with pace.lock:
                pace.gone(turn, now)
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
            pace.rests_until = max(pace.rests_until, now + pause)

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


class Uncounted(Limits):
    """The turns at a simulated broker that counts no calls: each leaves as it comes."""

    def take(self, module: Module, purpose: Purpose, *, within: timedelta | None = None) -> Turn | None:
        """Give a turn of this instant."""
        del module, purpose, within
        now = self._clock.now()
        return Turn(lane=0, at=now, until=now + APART)

    def room(self, *, besides: int, keep: datetime) -> int:
        """Let every call follow."""
        del besides, keep
        return MARKET_PER_SECOND

    def sent(self, module: Module, turn: Turn) -> None:
        """Note nothing."""

    def throttled(self, module: Module) -> None:
        """Stop nothing: nobody throttles."""


def _apart(share: int, per_minute: int, burst: int) -> timedelta:
    """Give how far apart calls leave: `APART`, or evenly, rounded up, under caps below E*TRADE's own limit."""
    by_minute = -(-_MINUTE_US * MARKET_PER_SECOND // (per_minute * share))
    by_burst = -(-_SECOND_US * MARKET_PER_SECOND // (burst * share))
    capped = max(by_minute, by_burst)
    return timedelta(microseconds=capped) if capped * share > _SECOND_US + share else APART
