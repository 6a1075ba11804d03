"""What `strategy backtest` was asked, in its own values: data, span, and the configurations to play."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from infra.backtest.data import Data, require_order
from infra.backtest.generated_data import GeneratedData
from infra.brokersim.generated import GENERATED_DAY
from infra.simulated_day.chosen import choose
from infra.simulated_day.imported import require_usable
from infra.simulated_day.problems import UserError
from shared.codec import dumps, encode
from shared.domain.broker.tickets import SYMBOL
from shared.domain.control.config import StrategyConfig
from shared.domain.control.tables import strategies_of
from shared.errors import ConfigError
from shared.frozen import frozen
from shared.settings import DEFAULT_CONFIG
from shared.strategies import config as configurations
from shared.strategies import registry

MONTH = timedelta(days=30)
LEAST_CAPITAL = Decimal(100)
MOST_CAPITAL = Decimal(1_000_000_000)


@frozen
class Configured:
    """A configuration to be played: what people call it, and its settings.

    `name` is the one that ships which it is, or which it changes.
    """

    label: str
    name: str
    config: StrategyConfig

    def digest(self, folder: str) -> str:
        """Give the beginning of the SHA-256 of its settings and of the owner's files that vote in it."""
        whole = hashlib.sha256(dumps(encode(registry.completed(self.config, folder))))
        there = registry.found(folder)
        for name in sorted(self.config.strategies.keys() & there.keys()):
            if there[name].parent != registry.HERE:
                whole.update(there[name].read_bytes())
        return whole.hexdigest()[:12]


def configured(said: str, names: Sequence[str], folder: str) -> Configured:
    """Read a configuration, of which only the named strategies vote where some are; raises UserError."""
    chosen = choose(said, folder)
    config = configurations.load(chosen.name) if chosen.file is None else chosen.file.own
    if not names:
        return Configured(label=chosen.label, name=chosen.name, config=config)
    table = strategies_of({name: config.strategies.get(name, {}) for name in names})
    least = min(config.signals.min_votes, len(table))
    config = replace(config, strategies=table, signals=replace(config.signals, min_votes=least))
    try:
        require_usable(config, folder)
    except ConfigError as wrong:
        raise UserError("; ".join(wrong.problems), remedy="name a strategy that there is") from None
    label = f"{chosen.label}, only {' and '.join(sorted(table))}"
    return Configured(label=label, name=chosen.name, config=config)


def with_default(asked: Sequence[Configured]) -> list[Configured]:
    """Give the configurations with the default one at their end, unless its settings are among them."""
    default = Configured(label=DEFAULT_CONFIG, name=DEFAULT_CONFIG, config=configurations.load(DEFAULT_CONFIG))
    return [*asked, *([] if any(one.config == default.config for one in asked) else [default])]


def symbols_of(text: str | None) -> tuple[str, ...]:
    """Read symbols that commas part; raises UserError."""
    found = tuple(dict.fromkeys(one.strip().upper() for one in (text or "").split(",") if one.strip()))
    if wrong := [one for one in found if not SYMBOL.fullmatch(one)]:
        raise UserError(f"{wrong[0][:30]!r} is no symbol", remedy="write symbols as tickets do: --symbols IBM,BRK.B")
    return found


def day_of(text: str, option: str) -> date:
    """Read a day; raises UserError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UserError(f"{option} {text[:30]!r} is no day", remedy="write it as 2013-10-07") from None


def days(first: str | None, last: str | None) -> tuple[date | None, date | None]:
    """Read the days of a span, None where one was not said; raises UserError, also for days in the wrong order."""
    begins = None if first is None else day_of(first, "--from")
    ends = None if last is None else day_of(last, "--to")
    if begins is not None and ends is not None:
        require_order(begins, ends)
    return begins, ends


def capital_of(text: str) -> Decimal:
    """Read an amount of USD; raises UserError."""
    try:
        usd = Decimal(text.replace(",", "").removeprefix("$"))
    except InvalidOperation:
        usd = Decimal("NaN")
    if not usd.is_finite() or not LEAST_CAPITAL <= usd <= MOST_CAPITAL:
        remedy = f"say how many USD, from {LEAST_CAPITAL} to {MOST_CAPITAL:,}, such as --capital 25000"
        raise UserError(f"{text[:30]!r} is no capital", remedy=remedy)
    return usd


def span(data: Data, first: date | None, last: date | None) -> tuple[date, date]:
    """Give the days that were asked for, and for those that were not what there is; a month of a generated market."""
    if isinstance(data, GeneratedData):
        begins = first or GENERATED_DAY
        return begins, last or begins + MONTH
    there = sorted(data.present(first or date.min, last or date.max))
    if not there:
        every = sorted(data.present(date.min, date.max))
        has = f"it has {every[0]} to {every[-1]}: say --from and --to within that" if every else "take another --data"
        raise UserError(f"there is no data in that span in {data.name}", remedy=has)
    return first or there[0], last or there[-1]
