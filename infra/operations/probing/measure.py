"""What the probe asks: each read and two previews once, then the stages; whatever fails is part of what was seen.

What can go wrong: one call that fails hides the rest; the token ends in the middle; something is placed. What this
promises: every call is a method of `Reads`, where there is no other; a preview is of one share at half of what is bid;
a call that fails is kept with its error and the next one is made; what was seen until a token ended is reported.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from infra.operations.probing.heard import Ear, Heard
from infra.operations.probing.pace import (
    REST,
    REST_THROTTLED,
    FirstThrottle,
    Pace,
    Stage,
    StageOver,
    StageResult,
    most_in_a_second,
    stages,
)
from infra.operations.reads import Reads
from infra.simulated_day.hours import NEW_YORK
from shared.domain.base.values import PriceType, Side, Term, price_down
from shared.domain.broker.brokerage import Account, Balance, BrokerOrder, Holding, Ticket
from shared.domain.broker.outcomes import PreviewAnswer
from shared.domain.market.quotes import Quote
from shared.errors import AuthError, BrokerError
from shared.etrade.limits import Module
from shared.frozen import frozen
from shared.ports import Chance, Clock

T = TypeVar("T")
NO_SYMBOL = "ZZZZQ"
DAYS_OF_ORDERS = 30
_CENT, _HIGHEST = Decimal("0.01"), Decimal(1_000_000)
Tell = Callable[[str], object]


@frozen
class Listing:
    """One order list, with the instants around asking for it."""

    account_key: str
    asked_at: datetime
    read_at: datetime
    rows: tuple[BrokerOrder, ...]


@dataclass(slots=True, kw_only=True)
class Seen:
    """All that was seen; `problems` are the errors by the name of their call, in our own words.

    `beside` says that a system used the same key meanwhile, `canned` that the sandbox answered, which makes things up.
    """

    symbols: tuple[str, ...]
    began_at: datetime
    ended_at: datetime | None = None
    accounts: tuple[Account, ...] | None = None
    balances: list[Balance] = field(default_factory=list)
    holdings: list[tuple[Holding, ...]] = field(default_factory=list)
    orders: list[Listing] = field(default_factory=list)
    quotes: list[dict[str, Quote]] = field(default_factory=list)
    ticket: Ticket | None = None
    previews: list[PreviewAnswer] = field(default_factory=list)
    results: list[StageResult] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    lost: int = 0
    lost_token: bool = False
    beside: bool = False
    canned: bool = False
    ahead: timedelta | None = None

    @property
    def active(self) -> tuple[Account, ...]:
        """The accounts that may be active, as far as they can be asked about."""
        return tuple(one for one in self.accounts or () if one.may_be_active and one.key)


class Probe:
    """One probe of one key; `tell` hears what it is at, `ours` tells which account is asked about first."""

    def __init__(
        self, *, reads: Reads, ear: Ear, pace: Pace, clock: Clock, chance: Chance, symbols: Sequence[str], tell: Tell,
        sandbox: bool, ours: Callable[[Account], bool] = lambda _: False,
    ) -> None:  # fmt: skip
        self._reads = reads
        self._ear = ear
        self._pace = pace
        self._clock = clock
        self._chance = chance
        self._tell = tell
        self._sandbox = sandbox
        self._ours = ours
        self.seen = Seen(symbols=tuple(dict.fromkeys(symbols)), began_at=clock.now(), canned=sandbox)

    def run(self, minutes: float) -> Seen:
        """Look at everything once, then measure for so many minutes."""
        seen = self.seen
        try:
            self._look()
            self._measure(stages(minutes))
        except AuthError as problem:
            seen.lost_token = True
            seen.problems["token"] = problem.detail
        seen.heard, seen.lost, seen.ended_at = self._ear.heard, self._ear.lost, self._clock.now()
        return seen

    def _try(self, name: str, call: Callable[[], T]) -> T | None:
        """Make one call; one that fails is kept by its name, and a throttle answer rests. Raises AuthError."""
        try:
            return call()
        except BrokerError as problem:
            self.seen.problems.setdefault(name, f"{type(problem).__name__}: {problem.detail}")
        except FirstThrottle:
            self.seen.problems.setdefault(name, "too many calls, at one a second")
            self._rest(REST_THROTTLED)
        return None

    def _look(self) -> None:
        """Ask each read once, of each active account, and preview."""
        self._pace.calm()
        self._tell("Reading accounts, balances, portfolios, orders and quotes.")
        listed = self._try("accounts", self._reads.accounts)
        if listed is not None:
            self.seen.accounts = tuple(sorted(listed, key=lambda one: not self._ours(one)))
        for account in self.seen.active:
            self._account(account)
        self._quotes(self.seen.symbols)
        self._try("unknown symbol", lambda: self._reads.quotes([NO_SYMBOL]))
        self._preview()

    def _account(self, account: Account) -> None:
        if (balance := self._try("balance", lambda: self._reads.balance(account.key))) is not None:
            self.seen.balances.append(balance)
        if (held := self._try("portfolio", lambda: self._reads.portfolio(account.key))) is not None:
            self.seen.holdings.append(held)
        self._try("orders", lambda: self._list(account.key, timedelta(days=DAYS_OF_ORDERS)))

    def _list(self, account_key: str, back: timedelta) -> None:
        asked_at = self._clock.now()
        rows = self._reads.orders(account_key, (asked_at - back).astimezone(NEW_YORK).date())
        listing = Listing(account_key=account_key, asked_at=asked_at, read_at=self._clock.now(), rows=rows)
        self.seen.orders.append(listing)

    def _quotes(self, symbols: Sequence[str]) -> None:
        found = self._try("quotes", lambda: dict(self._reads.quotes(symbols)))
        if found is not None:
            self.seen.quotes.append(found)

    def _preview(self) -> None:
        """Preview one share at half of its bid, twice under one client order id; nothing is placed."""
        quoted = (one for quotes in self.seen.quotes for one in quotes.values())
        priced = [(one.symbol, one.bid) for one in quoted if 2 * _CENT < one.bid < _HIGHEST]
        if not priced and self._sandbox:  # it quotes what it likes, and nothing of it is real
            priced = [(self.seen.symbols[0], Decimal(2))]
        if not priced or not self.seen.active:
            return
        symbol, bid = priced[0]
        self._tell("Previewing one share far from the market, twice. Nothing is placed.")
        self.seen.ticket = ticket = Ticket(
            client_order_id=f"PROBE{self._chance.token(12)}", symbol=symbol, side=Side.BUY, quantity=1,
            price_type=PriceType.LIMIT, term=Term.GOOD_FOR_DAY, limit_price=price_down(bid / 2),
        )  # fmt: skip
        account = self.seen.active[0]
        for name in ("preview", "the same preview again"):
            answer = self._try(name, lambda: self._reads.preview(account.key, ticket))
            if answer is not None:
                self.seen.previews.append(answer)

    def _measure(self, wanted: Iterable[Stage]) -> None:
        throttled: dict[Module, int] = {}
        for stage in wanted:
            if stage.module in throttled:
                why = f"{throttled[stage.module]} a second was throttled"
                self.seen.results.append(StageResult(stage=stage, skipped=why))
                continue
            asks = self._asks(stage.module)
            if not asks:
                self.seen.results.append(StageResult(stage=stage, skipped="there is no account to ask about"))
                continue
            self._rest(REST)
            self._tell(f"{stage.module}: {stage.rate} call(s) a second for {stage.lasts.total_seconds():.0f} s.")
            result = self._stage(stage, asks)
            self.seen.results.append(result)
            if result.throttled_at is not None:
                throttled[stage.module] = stage.rate
                self._rest(REST_THROTTLED)

    def _stage(self, stage: Stage, asks: Sequence[Callable[[], object]]) -> StageResult:
        """Ask in turn until the stage is over; raises AuthError."""
        before, failed, throttled = len(self._ear.heard), 0, False
        self._pace.begin(stage)
        for number in range(stage.rate * (int(stage.lasts.total_seconds()) + 2)):
            try:
                asks[number % len(asks)]()
            except BrokerError:
                failed += 1
            except StageOver:
                break
            except FirstThrottle:
                throttled = True
                break
        self._pace.calm()
        sent = [one.sent_at for one in self._ear.heard[before:]]
        return StageResult(
            stage=stage, calls=len(sent), reached=most_in_a_second(sent), failed=failed,
            throttled_at=len(sent) if throttled else None,
        )  # fmt: skip

    def _asks(self, module: Module) -> tuple[Callable[[], object], ...]:
        """Give the calls of a module, which are made in turn."""
        if module is Module.MARKET:
            return (lambda: self.seen.quotes.append(dict(self._reads.quotes(self.seen.symbols))),)
        if not self.seen.active:
            return ()
        key = self.seen.active[0].key
        if module is Module.ACCOUNTS:
            return (lambda: self._reads.balance(key), lambda: self._reads.portfolio(key), self._reads.accounts)
        return (lambda: self._list(key, timedelta(0)),)

    def _rest(self, span: timedelta) -> None:
        self._clock.sleep_until(self._clock.now() + span)
