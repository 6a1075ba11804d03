"""The scan's watches over what is held, `watches/SYMBOL`: the scan alone writes them, settlement and placement read.

What can go wrong: two scans write at once (compare-and-set: the later one reads anew); a watch cannot be read. What
this promises: what cannot be read is reported and counts as none. Then the position's own stop level counts, a decision
to sell is not worked, and the scan begins the watch anew over it, so that nothing is lost for longer than a tick but
the high water mark.
"""

from dataclasses import replace

from shared.codec import encode
from shared.domain.orders.positions import Position
from shared.domain.orders.watches import PositionWatch, following, wanted
from shared.errors import Conflict
from shared.frozen import frozen
from shared.ports import Create, Update
from shared.usecases.base.desk import Desk, read_over, read_sound


@frozen
class Watched:
    """A watch in the scan's hand: its value now, the one that the store has, and the version that a write has to find.

    `stored` is None for a watch that was never written or cannot be read, `version` for one that is not there.
    """

    path: str
    value: PositionWatch
    stored: PositionWatch | None
    version: str | None

    def over(self, position: Position) -> "Watched":
        """Give it for the position as it is now."""
        return replace(self, value=following(self.value, position))

    def now(self, value: PositionWatch) -> "Watched":
        """Give it with another value that is not written yet."""
        return replace(self, value=value)

    def kept(self, desk: Desk) -> "Watched | None":
        """Write its value and give it as it then is; None where another scan wrote first: then it is read anew."""
        try:
            return self.written(desk.store.commit([self.write])[0])
        except Conflict:
            return None

    @property
    def write(self) -> Create | Update:
        """Give the write of its value; its commit is a Conflict where another scan wrote since it was read."""
        data = encode(self.value)
        return Create(self.path, data) if self.version is None else Update(self.path, data, self.version)

    def written(self, version: str) -> "Watched":
        """Give it as it is after its write."""
        return replace(self, stored=self.value, version=version)


def watched(desk: Desk, position: Position) -> Watched:
    """Read the watch of a position to go on with it: begun where there is none of it, or none that can be read."""
    path = _path(position.symbol)
    stored, version = read_over(desk, PositionWatch, path)
    return Watched(path=path, value=following(stored, position), stored=stored, version=version)


def kept(desk: Desk, symbol: str) -> PositionWatch | None:
    """Read the watch of a symbol as the scan left it; None where there is none, or none that can be read."""
    held = read_sound(desk, PositionWatch, _path(symbol))
    return None if held is None else held.value


def with_wanted_stop(desk: Desk, position: Position) -> Position:
    """Give a position with the stop level that counts: its own, or what the scan wants where that is higher."""
    return wanted(position, kept(desk, position.symbol))


def _path(symbol: str) -> str:
    return f"watches/{symbol}"
