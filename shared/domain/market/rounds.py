"""Whom a tick asks for, where the symbols are more than one call takes.

E*TRADE answers fifty symbols a call, and not so many calls a second that all of a long list can be asked for in each.
What must be seen each second goes first: what is held, and what is *hot*, near a decision, because a strategy votes for
it (`strategies.decide.voted`). The others come round: who was asked for longest ago is asked first, in the places that
are left in the first call and in as many further calls as fit into the second. A second is *looked at* when all that is
held and hot was asked for and answered.

What can go wrong: so many are hot that the others are never asked for. What this promises: at most `HOT_MOST` are held
and hot together, unless more are held, so that some places of each first call go round. Where more are hot, those that
were asked for longest ago count.
"""

from collections.abc import Collection, Mapping, Sequence

SYMBOLS_A_CALL = 50
HOT_MOST = 40


def wanted(
    symbols: Sequence[str], *, held: Collection[str], hot: Collection[str], asked: Mapping[str, int]
) -> tuple[list[str], list[str]]:
    """Give whom to ask for now, and the others in the order in which they come round.

    `asked` is the second in which each was asked for last and answered; one that is not there comes first. Up to
    `SYMBOLS_A_CALL` symbols are all asked for.
    """
    if len(symbols) <= SYMBOLS_A_CALL:
        return list(symbols), []
    waiting = sorted(symbols, key=lambda symbol: asked.get(symbol, -1))
    first = [symbol for symbol in waiting if symbol in held]
    near = [symbol for symbol in waiting if symbol in hot and symbol not in held]
    first += near[: max(0, HOT_MOST - len(first))]
    chosen = frozenset(first)
    return first, [symbol for symbol in waiting if symbol not in chosen]
