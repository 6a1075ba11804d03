"""No function runs a strategy of the owner's that did not pass `strategy check` as its file stands now.

What did not pass goes into no archive (`infra.archives.passed`); so whoever is to trade by it is told before anything
runs, and not by a scan that leaves it out.
"""

from pathlib import Path

from infra.archives import passed
from infra.simulated_day.problems import UserError
from shared.domain.control.config import StrategyConfig
from shared.errors import Malformed
from shared.ports import Store
from shared.strategies import config as strategies
from shared.usecases.control import configuration


def require_checked(store: Store, config: str, folder: str) -> None:
    """Refuse to trade by an unchecked strategy: of the versions in the store, else of the configuration that ships.

    `folder` is the owner's, "" where there is none. Raises UserError that names each strategy.
    """
    unchecked = set(passed.unchecked(Path(folder))) if folder else set()
    if not unchecked:
        return
    named = {name for one in _wanted(store, config) for name in one.strategies}
    if wrong := sorted(unchecked & named):
        what = f"{' and '.join(wrong)} of {folder} never passed `strategy check` as it stands now; nothing was started"
        raise UserError(what, remedy=f"run `strategy check {' '.join(wrong)}`, or configure it out")


def _wanted(store: Store, config: str) -> list[StrategyConfig]:
    try:
        held = configuration.stored(store)
    except Malformed:
        held = None  # nobody trades by what cannot be read
    if held is None:
        return [strategies.load(config)]
    meanwhile = held.value.meanwhile
    return [held.value.newest.config, *([meanwhile] if meanwhile is not None else [])]
