"""What a run came to in a dozen lines, the same on a page and on a terminal."""

from decimal import Decimal

from infra.results.facts import Facts
from infra.results.figures import LEAST_SESSIONS, LEAST_TRADES, Drawdown, Figures
from infra.results.words import dollars, moment, percent, tone
from shared.frozen import frozen

UNKNOWN = "none"
_BELOW = "sold below the stops' levels; of other exits it is not known"
_NO_STOP = "no stop sold anything; of other exits it is not known"


@frozen
class Line:
    """One result: its name, its figure, a word about it, and the style class of a gain or a loss."""

    name: str
    text: str
    note: str = ""
    tone: str = "even"


def headline(facts: Facts, found: Figures) -> list[Line]:
    """Give the results of a run, the most important first."""
    return [
        Line(name="Return", text=_pct(found.return_pct), note=_on(found), tone=_tone(found.profit)),
        Line(name="Buy and hold", text=_pct(found.hold_pct), note=_held(facts), tone=_tone(found.hold_pct)),
        _largest(facts, found.drawdown),
        Line(name="Trades", text=f"{found.trades:,}", note=_ended(found)),
        Line(name="Win rate", text=_share(found.win_rate_pct), note="of the trades that ended"),
        Line(name="Profit factor", text=_plain(found.profit_factor), note=_divided(found)),
        Line(name="Expectancy", text=_usd(found.expectancy), note=_each(found), tone=_tone(found.expectancy)),
        Line(name="Average win", text=_usd(found.average_win), tone=_tone(found.average_win)),
        Line(name="Average loss", text=_usd(found.average_loss), tone=_tone(found.average_loss)),
        Line(name="Exposure", text=_share(found.exposure_pct), note="of equity in shares, on average"),
        _charged(facts, found),
        Line(name="Slippage of entries", text=_usd(found.entry_slippage), note=_points(found)),
        Line(
            name="Slippage of stops", text=_usd(found.stop_slippage),
            note=_NO_STOP if found.stop_slippage is None else _BELOW,
        ),
        Line(name="Sharpe ratio", text=_plain(found.sharpe), note=_from(found)),
    ]  # fmt: skip


def _on(found: Figures) -> str:
    if found.profit is None:
        return f"the equity is not known; {dollars(found.realized)} realised"
    return f"{dollars(found.profit)} on ${found.starting_equity:,.2f}{_open(found)}"


def _open(found: Figures) -> str:
    return f", {dollars(found.open_profit)} of it open" if found.open_profit and found.trades > found.over else ""


def _held(facts: Facts) -> str:
    count = sum(1 for marks in facts.prices.values() if marks)
    return f"of {count} symbol{'' if count == 1 else 's'} in equal parts" if count else "no prices are known"


def _largest(facts: Facts, found: Drawdown | None) -> Line:
    name = "Largest drawdown"
    if found is None or not found.usd:
        return Line(name=name, text=UNKNOWN if found is None else percent(found.pct))
    begins, ends = moment(found.since, facts.begins, facts.ends), moment(found.until, facts.begins, facts.ends)
    note = f"{dollars(found.usd)} from {begins} to {ends}"
    return Line(name=name, text=percent(found.pct), note=note, tone=tone(found.usd))


def _ended(found: Figures) -> str:
    even, held = found.over - found.wins - found.losses, found.trades - found.over
    more = (f", {even} even" if even else "") + (f", {held} still held" if held else "")
    return f"{found.wins} won, {found.losses} lost{more}"


def _divided(found: Figures) -> str:
    if found.over and not found.wins:
        return "nothing was won"
    return "nothing was lost" if found.wins and not found.losses else "sum won, divided by sum lost"


def _each(found: Figures) -> str:
    return f"a trade, on average, {'before' if found.fees is None else 'after'} fees"


def _charged(facts: Facts, found: Figures) -> Line:
    if found.fees is None:
        return Line(name="Fees", text=facts.fees_unknown, note="commissions and regulatory fees: in no figure here")
    return Line(name="Fees", text=f"${found.fees:,.2f}", note="commissions and regulatory fees")


def _points(found: Figures) -> str:
    if found.entry_slippage_bps is None:
        return "against the price of the decision"
    if not found.entry_slippage:
        return "paid at the price of the decision"
    side, part = "above" if found.entry_slippage > 0 else "below", f"{abs(found.entry_slippage_bps) / 100:.3f}"
    more = "less than 0.001" if part == "0.000" else part
    return f"paid {more} % {side} the price of the decision"


def _from(found: Figures) -> str:
    return "" if found.sharpe is not None else f"needs {LEAST_TRADES} trades and {LEAST_SESSIONS} sessions"


def _pct(value: Decimal | None) -> str:
    return UNKNOWN if value is None else percent(value)


def _share(value: Decimal | None) -> str:
    return UNKNOWN if value is None else f"{value:.1f} %"


def _plain(value: Decimal | None) -> str:
    return UNKNOWN if value is None else f"{value:.2f}"


def _usd(value: Decimal | None) -> str:
    return UNKNOWN if value is None else dollars(value)


def _tone(value: Decimal | None) -> str:
    return "even" if value is None else tone(value)
