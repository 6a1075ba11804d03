"""The strategies that a scan asks: those of the configuration in force that can be used."""

from collections.abc import Mapping

from shared.domain.config import StrategyConfig
from shared.domain.tables import Given
from shared.strategies import registry
from shared.strategies.form import Bound


class Panel:
    """The strategies of one process, from this folder of the owner's beside those that ship."""

    def __init__(self, folder: str = "") -> None:
        self._folder = folder
        self._named: Mapping[str, Given] | None = None
        self._bound: tuple[Bound, ...] = ()

    def of(self, config: StrategyConfig) -> tuple[Bound, ...]:
        """Give the strategies of a configuration; their files are read when another one is in force."""
        if config.strategies != self._named:
            self._bound, _ = registry.usable(config, self._folder)
            self._named = config.strategies
        return self._bound
