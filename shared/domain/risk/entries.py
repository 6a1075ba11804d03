"""The judgement of an entry on its facts: how many shares, or every code that denies it and the sentence about it."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from shared.domain.control.config import StrategyConfig
from shared.domain.orders import sizing
from shared.domain.risk import denials
from shared.domain.risk.facts import RiskFacts
from shared.domain.risk.risk import deny_codes
from shared.frozen import frozen


@frozen
class Entry:
    """An entry that every rule approves: shares, limit, cost and today's spread in USD, and what limited the size."""

    shares: int
    limit: Decimal
    cost: Decimal
    spread: Decimal
    sized: str


@frozen
class Denial:
    """Every code that denies an entry, and the sentence for the owner."""

    codes: tuple[str, ...]
    note: str = ""


def judged(facts: RiskFacts, codes: Sequence[str], *, votes: int, config: StrategyConfig) -> Entry | Denial:
    """Size and judge an entry; `codes` deny it already, for reasons that its facts do not have.

    The quantity of `facts` is not looked at.
    """
    limit, quote = facts.limit_price, facts.quote
    if limit is None or quote is None:
        return Denial(codes=(*codes, "NO_QUOTE"))
    if facts.means is None:
        note = "A held symbol has no recent price: equity is not known."
        return Denial(codes=(*codes, "FACTS_MISSING"), note=note)
    sized = sizing.size(symbol=facts.symbol, price=limit, votes=votes, means=facts.means, config=config)
    if isinstance(sized, sizing.Denied):
        why = f"{sized.text} {denials.sentences(codes, facts, config)}".rstrip()
        return Denial(codes=(*codes, sized.code), note=why)
    facts = replace(facts, quantity=sized.shares)
    codes = (*codes, *deny_codes(facts, config))
    if codes:
        return Denial(codes=codes, note=denials.sentences(codes, facts, config))
    cost, spread = limit * sized.shares, quote.spread
    return Entry(shares=sized.shares, limit=limit, cost=cost, spread=spread, sized=sized.text)
