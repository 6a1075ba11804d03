"""The two sources that lie in our own store: the days that the scan saw, and what the owner imported."""

from collections.abc import Callable
from datetime import date

from shared.domain.market.series import Series, cut
from shared.ports import Store
from shared.usecases.base.desk import read


class StoredSource:
    """A source of daily bars over one document a symbol, which `path` names."""

    def __init__(self, name: str, store: Store, path: Callable[[str], str]) -> None:
        self.name = name
        self._store = store
        self._path = path

    def daily(self, symbol: str, *, start: date, before: date) -> Series | None:
        """Give the bars from `start` on and strictly before a day, None where there are none.

        Raises StoreDown, or Malformed for a document that holds no series.
        """
        held = read(self._store, Series, self._path(symbol))
        found = None if held is None else cut(held.value, start=start, before=before)
        return found if found is not None and found.bars else None


def own_days(store: Store) -> StoredSource:
    """Give the days that the scan saw."""
    return StoredSource("own", store, lambda symbol: f"own_days/{symbol}")


def imported(store: Store) -> StoredSource:
    """Give the days that the owner imported from a file."""
    return StoredSource("file", store, lambda symbol: f"imports/{symbol}")
