"""A price of somebody else's than the broker's: shown and told while the broker gives none, and never traded on.

It is no `Quote` and has no bid and no ask, lies in a collection of its own, and no module that trades imports this one
(tests/architecture/test_second_hand.py). Whether it is delayed is not known, so it counts as delayed.
"""

from datetime import datetime
from decimal import Decimal

from shared.frozen import frozen


@frozen
class FallbackQuote:
    """One symbol's last price in USD, traded `at`, as `source` said it at `asked_at`.

    The broker has given no quote of it `since` an instant.
    """

    symbol: str
    last: Decimal
    at: datetime
    source: str
    asked_at: datetime
    since: datetime
