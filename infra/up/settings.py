"""The environment of the functions' processes, from a person's own: settings only, no secret, no key of a vault."""

from collections.abc import Mapping
from contextlib import suppress

from infra.brokersim.market import Market
from infra.day import environment
from infra.day.problems import UserError
from infra.local.vault import KEY_VARIABLE
from infra.up.plan import Plan
from shared import settings
from shared.errors import ConfigError

_OURS = ("ETRADE_", "STRATEGY_")
_SANDBOX = "ETRADE_SANDBOX"
_CLOSED = f"{_SANDBOX} is false, and production is not open yet: leave it out"
_USABLE = {"STRATEGY_WATCH_LIST": "A", "STRATEGY_CAPITAL_USD": "1000"}
_SECRET = frozenset({"ETRADE_CONSUMER_KEY", "ETRADE_CONSUMER_SECRET", KEY_VARIABLE})


def settings_of(plan: Plan, market: Market | None) -> dict[str, str]:
    """Give the functions' settings; raises UserError with every problem at once."""
    given = {name: value for name, value in plan.environ.items() if name.startswith(_OURS) and name != KEY_VARIABLE}
    if market is not None:
        return environment.environ(given, config=plan.config, market_spec=plan.market, symbols=market.symbols)
    problems = _problems(given)
    if problems:
        what = "the settings cannot be used:\n" + "\n".join(f"  - {problem}" for problem in problems)
        raise UserError(what, remedy="set these variables otherwise")
    return {name: value for name, value in given.items() if name not in _SECRET}


def consumer(plan: Plan) -> tuple[str, str] | None:
    """Give the consumer pair of a person's environment, which goes into the vault; None where there is none."""
    return settings.consumer(_stripped(plan.environ))


def _problems(given: Mapping[str, str]) -> tuple[str, ...]:
    """Name every setting that cannot be used; production is named also where others are wrong."""
    try:
        return () if settings.load(given).sandbox else (_CLOSED,)
    except ConfigError as wrong:
        found = wrong.problems
    with suppress(ConfigError):  # one that is malformed is among them already
        if not settings.load({**_USABLE, _SANDBOX: given.get(_SANDBOX, "true")}).sandbox:
            found += (_CLOSED,)
    return found


def _stripped(environ: Mapping[str, str]) -> Mapping[str, str]:
    return {name: environ.get(name, "") for name in _SECRET}
