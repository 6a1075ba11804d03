"""Settings from the environment, typed and with ranges; every problem is reported in one message.

Names are the integration guide's where it has them. The secret ones are accepted on one machine only: in the
cloud they are not set, and the consumer key is read from Secret Manager (topology, `etrade-consumer`). So are the
addresses for notices, which hold tokens and passwords (`notify-addresses`).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import urlsplit

from shared.errors import ConfigError

T = TypeVar("T")
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.\-^]{0,20}")  # what a ticket takes (shared.domain.broker.tickets)
_ACCOUNT = re.compile(r"[A-Za-z0-9_-]{6,32}")
_WHOLE = re.compile(r"[0-9]{1,9}")
_MONEY = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_OPERATOR = re.compile(r"[A-Za-z0-9._@+-]{1,64}")
_ADDRESS = re.compile(r"[!-~]{1,2000}")
_NOTIFY = re.compile(r"[a-z][a-z0-9+.-]{0,30}://[!-~]{1,2000}", re.IGNORECASE)
MAX_WATCHED = 200
LEAST = MappingProxyType({"STRATEGY_WATCH_LIST": "A", "STRATEGY_CAPITAL_USD": "1000"})
"""Something for each setting that must be there, for who reads the others."""
CONFIGS = ("default", "demo")
"""The configurations that ship, each a file in shared/strategies/config: the one list of their names."""
HISTORY_SOURCES = ("own", "file", "alpaca", "yahoo")
"""Where daily bars may come from: the names that the setting orders."""
MOST_ADDRESSES = 5
ADDRESSES_HINT = (
    f"up to {MOST_ADDRESSES} apprise addresses such as ntfys://topic, with a blank or a new line between them"
)
# Who the owner is, and an address that may carry a password: a wrong value is not repeated.
_UNSPOKEN = frozenset({
    "ETRADE_ACCOUNT_ID", "ETRADE_OAUTH_CALLBACK_URL", "STRATEGY_SIGN_IN_URL", "STRATEGY_OPERATOR",
    "STRATEGY_HEARTBEAT_URL",
})  # fmt: skip
_SHOWN = 60
_LONGEST_PATH = 1_000
DEFAULT_CONFIG = "default"
OWN_STRATEGIES = "STRATEGY_STRATEGIES"
NOT_YET = "STRATEGY_MODE=live with ETRADE_SANDBOX=false: live orders at production are not enabled yet"


class Wrong(ValueError):
    """A value of which only a part is wrong; the words say which."""


class Mode(StrEnum):
    """Where orders go: into our own paper book, or to E*TRADE."""

    PAPER = "paper"
    LIVE = "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator chose; `capital_usd` in USD, `rate_limit` in Market calls a minute, `burst_limit` in calls.

    What ends in `_most` no version of the configuration exceeds, and is None where nobody said it.
    `sign_in_url` is the start page's address, `heartbeat_url` what a system that works asks each minute; both are empty
    when nobody said them. Instants are New York's. `history_sources` are asked for daily bars in their order;
    minute bars are kept for `bars_kept_days`; a close that differs from the broker's by more than `close_doubt_pct`
    percent is doubted. What the broker has not quoted for `fallback_after_s` is asked of another source.
    `strategies` is the folder of the owner's own, empty where there is none: in the cloud, where the archive has them.
    """

    mode: Mode
    sandbox: bool
    account_id: str
    callback_url: str
    rate_limit: int
    burst_limit: int
    config: str
    watch_list: tuple[str, ...]
    capital_usd: Decimal
    operator: str
    sign_in_url: str
    remind_at: tuple[time, ...]
    token_ends_at: time
    history_sources: tuple[str, ...]
    bars_kept_days: int
    close_doubt_pct: int
    fallback_after_s: int
    heartbeat_url: str = field(repr=False)
    strategies: str
    order_usd_most: Decimal | None
    order_shares_most: int | None
    positions_most: int | None
    daily_loss_pct_most: Decimal | None


def load(environ: Mapping[str, str], said: Mapping[str, str] = MappingProxyType({})) -> Settings:
    """Read every setting; raises ConfigError that names all problems, never a secret's value.

    `said` is how a person said a setting that is no variable of theirs: by an option, which is then what is named.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, (attribute, parse, default) in _SETTINGS.items():
        raw = environ.get(name, default)
        if raw is None:
            problems.append(f"{name} is not set: {_HINTS[name]}")
            continue
        try:
            values[attribute] = parse(raw.strip())
        except Wrong as part:
            problems.append(f"{said.get(name, name)} has {part}, which cannot be used: {_HINTS[name]}")
        except ValueError:
            shown = "" if name in _UNSPOKEN else f"={raw[:_SHOWN]!r}" + "..." * (len(raw) > _SHOWN)
            problems.append(f"{said.get(name, name)}{shown} cannot be used: {_HINTS[name]}")
    for secret in (consumer, notify_addresses):
        problems += problems_of(secret, environ)
    if problems:
        raise ConfigError(tuple(problems))
    return Settings(**values)


def wrong_ones(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Name what cannot be used of the settings that are there; what is missing is no problem."""
    return problems_of(load, LEAST | dict(environ))


def problems_of(read: Callable[[Mapping[str, str]], object], environ: Mapping[str, str]) -> tuple[str, ...]:
    """Name what a reader of the environment, such as `load`, refuses."""
    try:
        read(environ)
    except ConfigError as wrong:
        return wrong.problems
    return ()


def network_problems(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Name what must not meet the network: live orders at production, which is for paper mode, that cannot place."""
    try:
        mode, sandbox = Mode(environ.get("STRATEGY_MODE", "paper").strip()), environ.get("ETRADE_SANDBOX", "true")
        return (NOT_YET,) if mode is Mode.LIVE and not _flag(sandbox.strip()) else ()
    except ValueError:
        return ()


def consumer(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Give consumer key and secret where one machine has them in its environment; one without the other is refused."""
    key, secret = (environ.get(f"ETRADE_CONSUMER_{half}", "").strip() for half in ("KEY", "SECRET"))
    if bool(key) != bool(secret):
        raise ConfigError(("ETRADE_CONSUMER_KEY and ETRADE_CONSUMER_SECRET go together: set both or neither",))
    return (key, secret) if key else None


def notify_addresses(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Give the addresses for notices that one machine has in its environment, if any; raises ConfigError."""
    try:
        return addresses(environ.get("STRATEGY_NOTIFY_ADDRESSES", ""))
    except ValueError:
        raise ConfigError((f"STRATEGY_NOTIFY_ADDRESSES cannot be used: {ADDRESSES_HINT}",)) from None


def addresses(raw: str) -> tuple[str, ...]:
    """Read addresses with blanks or line ends between them; raises ValueError without repeating any."""
    found = tuple(dict.fromkeys(raw.split()))
    if len(found) > MOST_ADDRESSES or not all(_NOTIFY.fullmatch(address) for address in found):
        raise ValueError(f"not addresses: {ADDRESSES_HINT}")
    return found


def _flag(raw: str) -> bool:
    if raw.lower() in ("true", "1", "yes"):
        return True
    if raw.lower() in ("false", "0", "no"):
        return False
    raise ValueError(raw)


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(raw: str) -> int:
        if not (_WHOLE.fullmatch(raw) and low <= int(raw) <= high):
            raise ValueError(raw)
        return int(raw)

    return parse


def _maybe(parse: Callable[[str], T]) -> Callable[[str], T | None]:
    """Read a setting that may be left empty."""
    return lambda raw: parse(raw) if raw else None


def _percent(raw: str) -> Decimal:
    if not (_MONEY.fullmatch(raw) and Decimal("0.1") <= Decimal(raw) <= 20):
        raise ValueError(raw)
    return Decimal(raw)


def _account(raw: str) -> str:
    if raw and not _ACCOUNT.fullmatch(raw):
        raise ValueError(raw)
    return raw


def _address(raw: str) -> str:
    if not raw:
        return raw
    parts = urlsplit(raw)
    local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1")
    if not (_ADDRESS.fullmatch(raw) and parts.hostname and "@" not in parts.netloc):
        raise ValueError(raw)
    if not (parts.scheme == "https" or local):
        raise ValueError(raw)
    return raw


def _folder(raw: str) -> str:
    if len(raw) > _LONGEST_PATH or not raw.isprintable():
        raise ValueError(raw)
    return raw


def _config(raw: str) -> str:
    if raw not in CONFIGS:
        raise ValueError(raw)
    return raw


def _symbols(raw: str) -> tuple[str, ...]:
    symbols = tuple(dict.fromkeys(part.strip().upper() for part in raw.split(",") if part.strip()))
    if wrong := [symbol[:_SHOWN] for symbol in symbols if not _SYMBOL.fullmatch(symbol)]:
        raise Wrong(", ".join(map(repr, wrong)))
    if not 1 <= len(symbols) <= MAX_WATCHED:
        raise ValueError(raw)
    return symbols


def _capital(raw: str) -> Decimal:
    if not (_MONEY.fullmatch(raw) and 100 <= Decimal(raw) <= 10_000_000):
        raise ValueError(raw)
    return Decimal(raw)


def _page(raw: str) -> str:
    if "#" in raw or "?" in raw:
        raise ValueError(raw)
    return _address(raw)


def _operator(raw: str) -> str:
    if not _OPERATOR.fullmatch(raw):
        raise ValueError(raw)
    return raw


def _clock(raw: str, first: time, last: time) -> time:
    if not _CLOCK.fullmatch(raw):
        raise ValueError(raw)
    at = time.fromisoformat(raw)
    if not first <= at <= last:
        raise ValueError(raw)
    return at


def _mornings(raw: str) -> tuple[time, ...]:
    clocks = sorted({_clock(part.strip(), time(7), time(9, 25)) for part in raw.split(",")})
    return tuple(clocks)


def _evening(raw: str) -> time:
    return _clock(raw, time(16, 30), time(18, 30))


def _sources(raw: str) -> tuple[str, ...]:
    names = tuple(part.strip().lower() for part in raw.split(","))
    if not set(names) <= set(HISTORY_SOURCES) or len(set(names)) != len(names):
        raise ValueError(raw)
    return names


_SETTINGS: dict[str, tuple[str, Callable[[str], Any], str | None]] = {
    "STRATEGY_MODE": ("mode", Mode, "paper"),
    "ETRADE_SANDBOX": ("sandbox", _flag, "true"),
    "ETRADE_ACCOUNT_ID": ("account_id", _account, ""),
    "ETRADE_OAUTH_CALLBACK_URL": ("callback_url", _address, ""),
    "ETRADE_RATE_LIMIT": ("rate_limit", _whole(1, 240), "240"),
    "ETRADE_BURST_LIMIT": ("burst_limit", _whole(1, 100), "10"),
    "STRATEGY_CONFIG": ("config", _config, DEFAULT_CONFIG),
    "STRATEGY_WATCH_LIST": ("watch_list", _symbols, None),
    "STRATEGY_CAPITAL_USD": ("capital_usd", _capital, None),
    "STRATEGY_OPERATOR": ("operator", _operator, "owner"),
    "STRATEGY_SIGN_IN_URL": ("sign_in_url", _page, ""),
    "STRATEGY_REMIND_AT": ("remind_at", _mornings, "08:30,09:15"),
    "STRATEGY_TOKEN_ENDS_AT": ("token_ends_at", _evening, "18:00"),
    "STRATEGY_HISTORY_SOURCES": ("history_sources", _sources, ",".join(HISTORY_SOURCES)),
    "STRATEGY_BARS_KEPT_DAYS": ("bars_kept_days", _whole(7, 3_650), "400"),
    "STRATEGY_CLOSE_DOUBT_PERCENT": ("close_doubt_pct", _whole(1, 50), "5"),
    "STRATEGY_FALLBACK_AFTER_S": ("fallback_after_s", _whole(10, 600), "30"),
    "STRATEGY_HEARTBEAT_URL": ("heartbeat_url", _address, ""),
    OWN_STRATEGIES: ("strategies", _folder, ""),
    "STRATEGY_MOST_ORDER_USD": ("order_usd_most", _maybe(_capital), ""),
    "STRATEGY_MOST_ORDER_SHARES": ("order_shares_most", _maybe(_whole(1, 1_000_000)), ""),
    "STRATEGY_MOST_POSITIONS": ("positions_most", _maybe(_whole(1, 100)), ""),
    "STRATEGY_MOST_DAILY_LOSS_PCT": ("daily_loss_pct_most", _maybe(_percent), ""),
}
NAMES = frozenset(_SETTINGS)
"""Every setting that a function may be given, none of them secret: a heartbeat's address opens nothing."""

_HINTS = {
    "STRATEGY_MODE": "paper or live",
    "ETRADE_SANDBOX": "true or false",
    "ETRADE_ACCOUNT_ID": "the account's number or key, or empty when there is only one active account",
    "ETRADE_OAUTH_CALLBACK_URL": "an https address registered with E*TRADE (http on localhost), or empty for a PIN",
    "ETRADE_RATE_LIMIT": "Market calls a minute, a whole number from 1 to 240",
    "ETRADE_BURST_LIMIT": "Market calls at once, a whole number from 1 to 100",
    "STRATEGY_CONFIG": " or ".join(CONFIGS),
    "STRATEGY_WATCH_LIST": f"1 to {MAX_WATCHED} symbols with commas between them, such as AIG,BRK.B,JPM.PR.D",
    "STRATEGY_CAPITAL_USD": "the capital allotted to the system in USD, from 100 to 10000000",
    "STRATEGY_OPERATOR": "the name that sign-in links are made for: 1 to 64 letters, digits and . _ @ + -",
    "STRATEGY_SIGN_IN_URL": "the address of oauth_callback's start page, https (http on localhost), or empty",
    "STRATEGY_REMIND_AT": "when to remind of the sign-in, New York, from 07:00 to 09:25, such as 08:30,09:15",
    "STRATEGY_HISTORY_SOURCES": f"some of {', '.join(HISTORY_SOURCES)}, each once, in the order of asking",
    "STRATEGY_BARS_KEPT_DAYS": "for how many days minute bars are kept, a whole number from 7 to 3650",
    "STRATEGY_CLOSE_DOUBT_PERCENT": "percent, a whole number from 1 to 50",
    "STRATEGY_FALLBACK_AFTER_S": "seconds without a quote of E*TRADE's, a whole number from 10 to 600",
    "STRATEGY_HEARTBEAT_URL": "an https address (http on localhost) that is asked each minute, or empty",
    OWN_STRATEGIES: "a folder of strategies of your own, or empty",
    "STRATEGY_MOST_ORDER_USD": "the most that one order may cost in USD, from 100 to 10000000, or empty",
    "STRATEGY_MOST_ORDER_SHARES": "the most shares of one order, from 1 to 1000000, or empty",
    "STRATEGY_MOST_POSITIONS": "the most positions at once, from 1 to 100, or empty",
    "STRATEGY_MOST_DAILY_LOSS_PCT": "the most daily loss in percent, from 0.1 to 20, or empty",
    "STRATEGY_TOKEN_ENDS_AT": "when the day's token ends at the latest, New York, from 16:30 to 18:30",
}
