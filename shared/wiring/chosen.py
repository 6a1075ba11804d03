"""What the owner chose, settings and strategy configuration: all that is wrong with it, before anything starts.

Every function asks, also one that does not trade: a system of which a part starts and a part does not is no system.
"""

from collections.abc import Mapping

from shared import settings
from shared.domain.orders.versions import Ceilings
from shared.settings import problems_of
from shared.strategies import config

NAME = "STRATEGY_CONFIG"


def ceilings(given: settings.Settings) -> Ceilings:
    """Give the most that any version of the configuration may allow."""
    return Ceilings(
        order_usd_max=given.order_usd_most, order_shares_max=given.order_shares_most,
        positions_max=given.positions_most, daily_loss_pct=given.daily_loss_pct_most,
    )  # fmt: skip


def problems(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Name every problem of the settings, and of the configuration that they name."""
    name = environ.get(NAME, settings.DEFAULT_CONFIG).strip()
    return (*problems_of(settings.load, environ), *config.problems_of(name))
