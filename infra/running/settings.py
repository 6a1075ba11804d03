"""The environment of the functions' processes, from a person's own: settings only, no secret, no key of a vault."""

from functools import partial

from infra.brokersim.market import Market
from infra.running.plan import Plan
from infra.simulated_day import environment
from infra.simulated_day.problems import UserError
from shared import settings
from shared.strategies import config as strategies

HEARTBEAT = "STRATEGY_HEARTBEAT_URL"
"""A desk is a machine that somebody may watch, whatever broker it trades with."""


def settings_of(plan: Plan, market: Market | None) -> dict[str, str]:
    """Give the functions' settings; raises UserError with every problem at once."""
    if market is not None:
        if plan.market == "generated" and "STRATEGY_WATCH_LIST" in plan.environ:
            what = "STRATEGY_WATCH_LIST does not count on a generated day, which has symbols of its own"
            raise UserError(what, remedy="unset it, or name a recorded day with --market")
        simulated = environment.environ(
            plan.environ, config=plan.config, market_spec=plan.market, symbols=market.symbols, mode=plan.mode
        )
        return simulated | {name: plan.environ[name] for name in (HEARTBEAT,) if name in plan.environ}
    ours = {"STRATEGY_MODE": plan.mode.value, "ETRADE_SANDBOX": str(plan.broker != "production").lower()}
    given = {**plan.environ, **ours}
    said = {"STRATEGY_MODE": "--mode", "ETRADE_SANDBOX": "--broker"}
    wrong = settings.problems_of(partial(settings.load, said=said), given)
    config = strategies.problems_of(given.get("STRATEGY_CONFIG", settings.DEFAULT_CONFIG).strip())
    if problems := (*wrong, *config, *settings.network_problems(given)):
        what = "the settings cannot be used:\n" + "\n".join(f"  - {problem}" for problem in problems)
        raise UserError(what, remedy="correct these variables")
    ours = {name: value for name, value in given.items() if name in settings.NAMES}
    return ours | environment.own_strategies(given)


def consumer(plan: Plan) -> tuple[str, str] | None:
    """Give the consumer pair of a person's environment, which goes into the vault; None where there is none."""
    return settings.consumer(plan.environ)


def addresses(plan: Plan) -> tuple[str, ...]:
    """Give the addresses for notices of a person's environment, which go into the vault too."""
    return settings.notify_addresses(plan.environ)
