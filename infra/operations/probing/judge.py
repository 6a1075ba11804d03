"""What was seen of accounts, orders and previews, against what our parsers and rules assume.

The sections are those of the fact sheet on E*TRADE's API; a file is where the assumption is relied upon. Each function
gives one fact. What nobody saw is told as that, with the reason.
"""

import json
from collections.abc import Callable
from itertools import pairwise

from infra.operations.probing.facts import Assumed, Fact, words
from infra.operations.probing.heard import Heard
from infra.operations.probing.measure import Seen
from shared.domain.broker.brokerage import is_cash, is_margin
from shared.domain.broker.outcomes import Previewed, Rejected
from shared.errors import Unreadable
from shared.etrade import reading
from shared.etrade.exchange import Endpoint

KNOWN_MESSAGES = frozenset(
    {"1026", "1027", "1036", "1042", "1043", "1045", "1064", "1065", "1085", "3041", "7084", "9011"}
)
_NO_TRADING = "an entry is denied; the rule has to learn the word"


def account_rows(seen: Seen) -> Fact:
    """Whether each row of the account list has what we need."""
    one = Assumed(
        name="Account list", source="3.1; parse_accounts.py", then="no account can be chosen: nothing is traded",
        assumption="each account has accountIdKey, accountId, accountMode and accountStatus",
    )  # fmt: skip
    if seen.accounts is None:
        return _failed(one, seen, "accounts")
    odd = frozenset(name for row in seen.accounts for name in row.odd)
    missing = f"; not readable: {', '.join(sorted(odd))}" if odd else ""
    return one.judged(
        bool(seen.accounts) and not odd, f"{len(seen.accounts)} accounts, {len(seen.active)} active{missing}"
    )


def account_modes(seen: Seen) -> Fact:
    """Whether the modes are words that we know."""
    one = Assumed(
        name="Account modes", source="3.1, 3.2; domain/broker/brokerage.py",
        assumption="an active account calls itself by a mode that we know as cash or as margin",
        then="it counts as one that spends settled cash alone and is not free of the day trade rule",
    )  # fmt: skip
    modes = frozenset(row.mode for row in seen.active)
    if not modes:
        return one.unseen("no active account was listed")
    return one.judged(all(is_margin(mode) or is_cash(mode) for mode in modes), words(modes))


def balance_figures(seen: Seen) -> Fact:
    """Whether the figure on which sizes rest is there."""
    one = Assumed(
        name="Balance", source="3.2; parse_accounts.py", then="entries are denied until the parser knows the new name",
        assumption="the figure that may be spent is there: settledCashForInvestment, or cashBuyingPower with margin",
    )  # fmt: skip
    if "balance" in seen.problems or not seen.balances:
        return _failed(one, seen, "balance")
    lacks = frozenset(balance.lacks for balance in seen.balances if balance.lacks is not None)
    return one.judged(not lacks, f"missing: {', '.join(sorted(lacks))}" if lacks else f"{len(seen.balances)} balances")


def account_value(seen: Seen) -> Fact:
    """Whether the account's worth is said."""
    one = Assumed(
        name="Account value", source="3.2; domain/risk/account_rules.py",
        assumption="realTimeNAV=true gives RealTimeValues.totalAccountValue",
        then="a margin account counts as one below $25,000: at most three day trades in five sessions",
    )  # fmt: skip
    if not seen.balances:
        return one.unseen("no balance was read")
    there = all(balance.account_value is not None for balance in seen.balances)
    return one.judged(there, "it is there" if there else "it is missing in a balance")


def day_trader(seen: Seen) -> Fact:
    """What E*TRADE says of the owner as a day trader."""
    one = Assumed(
        name="Day trader status", source="3.2; domain/risk/account_rules.py", then=f"DAY_TRADER_STATUS: {_NO_TRADING}",
        assumption="dayTraderStatus is NO_PDT, PDT or missing",
    )  # fmt: skip
    if not seen.balances:
        return one.unseen("no balance was read")
    said = frozenset(balance.day_trader_status for balance in seen.balances)
    return one.judged(said <= {"NO_PDT", "PDT", ""}, words(said))


def margin_calls(seen: Seen) -> Fact:
    """Whether margin calls can be read."""
    one = Assumed(
        name="Margin calls", source="3.2; parse_accounts.py", then=f"MARGIN_CALL: {_NO_TRADING}",
        assumption="OpenCalls has figures, which are 0 where there is no call",
    )  # fmt: skip
    if not seen.balances:
        return one.unseen("no balance was read")
    calls = frozenset(name for balance in seen.balances for name in balance.calls)
    said = f"open, or not to be read: {', '.join(sorted(calls))}" if calls else "none is open"
    return one.judged("OpenCalls" not in calls, said)


def portfolio_rows(seen: Seen) -> Fact:
    """Whether each row of the portfolio can be read."""
    one = Assumed(
        name="Portfolio", source="3.3; parse_accounts.py", then="what is held of such a symbol is not counted",
        assumption="a row of shares has positionId, a whole quantity, Product.symbol and securityType EQ",
    )  # fmt: skip
    if "portfolio" in seen.problems:
        return _failed(one, seen, "portfolio")
    rows = [row for held in seen.holdings for row in held]
    if not rows:
        return one.unseen("nothing is held")
    odd = frozenset(name for row in rows for name in row.odd)
    return one.judged(not odd, f"{len(rows)} symbols{_odd(odd)}")


def order_rows(seen: Seen) -> Fact:
    """Whether each row of the order list can be read."""
    one = Assumed(
        name="Order list", source="4.11; parse_rows.py",
        assumption="each row is an order of one leg of shares whose fields we know",
        then="such a row makes its symbol busy and is told; one of ours is booked as far as it can be read",
    )  # fmt: skip
    if "orders" in seen.problems:
        return _failed(one, seen, "orders")
    rows = [row for listing in seen.orders for row in listing.rows]
    if not rows:
        return one.unseen("no order was listed")
    odd = frozenset(name for row in rows for name in row.odd)
    return one.judged(not odd, f"{len({row.order_id for row in rows})} orders{_odd(odd)}")


def _odd(names: frozenset[str]) -> str:
    """Name fields, which our parsers name by their own words."""
    return f"; odd or missing: {', '.join(sorted(names))}" if names else ""


def order_sequence(seen: Seen) -> Fact:
    """Whether the newest order comes first."""
    one = Assumed(
        name="Order of the list", source="4.11; parse_orders.py", assumption="the newest order is the first",
        then="nothing of ours rests on it but the number of pages",
    )  # fmt: skip
    placed = [[row.placed_at for row in listing.rows if row.placed_at] for listing in seen.orders]
    longest = max(placed, key=len, default=[])
    if len(longest) < 2:
        return one.unseen("fewer than two orders were listed")
    return one.judged(all(first >= then for first, then in pairwise(longest)), f"{len(longest)} orders compared")


def marker(seen: Seen) -> Fact:
    """Whether the marker is the last order's instant."""
    one = Assumed(
        name="Marker of a page", source="4.11; client.py", then="pages are read by the marker whatever it is: nothing",
        assumption="a page that is not the last has a marker: the placedTime of its last order",
    )  # fmt: skip
    for answer in _answers(seen, Endpoint.ORDERS):
        try:
            body = reading.root(answer.body, "ordersresponse")
            said = reading.text(body, "marker")
            rows = reading.children(body, "order")
            last = reading.text(reading.children(rows[-1], "orderdetail")[-1], "placedtime") if rows else None
        except (Unreadable, IndexError):
            continue
        if said is not None:
            return one.judged(said == last, "it is" if said == last else "it is something else")
    return one.unseen("every list had one page")


def list_lag(seen: Seen) -> Fact:
    """How late an order that was placed meanwhile came into the list."""
    one = Assumed(
        name="Lag of the order list", source="4.11, 7 item 8; usecases/settling/settle.py",
        assumption="an order that was placed is in the list about a second later",
        then="an order in doubt needs longer until a clean list means that it is not there",
    )  # fmt: skip
    lags: list[float] = []
    listed: dict[str, set[int | None]] = {}
    for listing in seen.orders:
        known = listed.get(listing.account_key)
        fresh = [row for row in listing.rows if known is not None and row.order_id not in known and row.placed_at]
        lags += [(listing.read_at - row.placed_at).total_seconds() for row in fresh if row.placed_at]
        listed.setdefault(listing.account_key, set()).update(row.order_id for row in listing.rows)
    if not lags:
        return one.unseen("nothing was placed meanwhile: place an order by hand in E*TRADE's app while the probe lists")
    return one.judged(max(lags) <= 3, f"{len(lags)} came; the latest was there after {max(lags):.1f} s at most")


def empty_lists(seen: Seen) -> Fact:
    """Whether nothing is said by 204 and an empty body."""
    one = Assumed(
        name="Nothing found", source="0; client.py", then="an empty answer of another kind is Unreadable, never `none`",
        assumption="an empty portfolio or order list is status 204 with an empty body",
    )  # fmt: skip
    found = [*_answers(seen, Endpoint.ORDERS), *_answers(seen, Endpoint.PORTFOLIO)]
    empty = sum(answer.status == 204 for answer in found)
    hollow = sum(answer.status == 200 and not answer.body.strip() for answer in found)
    if not (empty or hollow):
        return one.unseen("no list was empty")
    return one.judged(not hollow, f"{empty} answers with 204, {hollow} empty ones with 200")


def preview_taken(seen: Seen) -> Fact:
    """Whether a preview is taken and can be read."""
    one = Assumed(
        name="Preview", source="4.3, 4.4; build.py, parse_orders.py",
        assumption="JSON with arrays and numbers as text is taken; the answer has PreviewIds and one order like ours",
        then="no order can be placed: the request or the parser has to change",
    )  # fmt: skip
    if not seen.previews:
        return _failed(one, seen, "preview") if seen.ticket else one.unseen("there was no account or no price")
    match seen.previews[0]:
        case Previewed() as answer:
            return one.known(f"taken, with {len(answer.preview_ids)} preview id(s)")
        case Rejected() as refused:
            return one.unseen(f"refused with code {code(refused.code)}: what E*TRADE takes was not seen")


def preview_total(seen: Seen) -> Fact:
    """Whether the total of a purchase is what its shares cost."""
    one = Assumed(
        name="Total of a preview", source="4.4; usecases/placing/enter.py",
        then="entries are denied or reserve too much cash",
        assumption="estimatedTotalAmount of a purchase is positive: the price of the shares and the fees",
    )  # fmt: skip
    first = next((answer for answer in seen.previews if isinstance(answer, Previewed)), None)
    if first is None or seen.ticket is None or seen.ticket.limit_price is None:
        return one.unseen("no preview was taken")
    if seen.canned:
        return one.unseen("the sandbox answers with an order of its own")
    off = first.estimated_total - seen.ticket.limit_price
    return one.judged(0 <= off <= seen.ticket.limit_price, f"{off:+} USD from price times shares")


def preview_messages(seen: Seen) -> Fact:
    """Which messages stand beside a preview."""
    one = Assumed(
        name="Messages of a preview", source="4.14; domain/broker/outcomes.py", then="the table of codes gets it",
        assumption="the codes beside a preview are in our table; 1036 and 7084 are acted on, the others are not",
    )  # fmt: skip
    taken = [answer for answer in seen.previews if isinstance(answer, Previewed)]
    if not taken:
        return one.unseen("no preview was taken")
    codes = {code for answer in taken for code in answer.codes}
    return one.judged(codes <= KNOWN_MESSAGES, ", ".join(sorted(map(code, codes))) or "none")


def preview_again(seen: Seen) -> Fact:
    """Whether a client order id may be previewed twice."""
    one = Assumed(
        name="The same clientOrderId again", source="4.7 [unsure]; usecases/placing/enter.py",
        assumption="a second preview under one clientOrderId may be refused: we never rest on either",
        then="nothing",
    )  # fmt: skip
    if len(seen.previews) < 2:
        return one.unseen("there were not two answers")
    match seen.previews[1]:
        case Previewed():
            return one.known("taken again")
        case Rejected() as refused:
            return one.known(f"refused with code {code(refused.code)}")


def preview_life(seen: Seen) -> Fact:
    """How long a preview lives."""
    one = Assumed(
        name="Life of a preview", source="4.8 [no source found]; usecases/placing/enter.py",
        assumption="it lives longer than the seconds between our preview and our place",
        then="a place is refused (101, 900 or 1033), which is UNKNOWN until the list shows that there is no order",
    )  # fmt: skip
    named = frozenset(name for answer in _answers(seen, Endpoint.PREVIEW) for name in _life_fields(answer))
    said = f"fields that may tell it: {', '.join(sorted(named))}; " if named else ""
    return one.unseen(f"{said}only a place shows it, and nothing is placed here")


def code(text: str) -> str:
    """Give a code of E*TRADE's, which is a number of a few digits."""
    return text if text.isdecimal() and len(text) <= 5 else "(another)"


def _life_fields(answer: Heard) -> set[str]:
    """Name the fields of a preview whose name speaks of an end."""
    found: set[str] = set()

    def look(node: object) -> None:
        for name, value in node.items() if isinstance(node, dict) else ():
            if name.isalpha() and any(part in name.lower() for part in ("expir", "timeout", "validity")):
                found.add(name)
            look(value)
        for value in node if isinstance(node, list) else ():
            look(value)

    try:
        look(json.loads(answer.body))
    except (ValueError, RecursionError):
        return set()
    return {name for name in found if not name.startswith("expiry")}


def _answers(seen: Seen, endpoint: Endpoint) -> list[Heard]:
    return [one for one in seen.heard if one.endpoint is endpoint and one.good]


def _failed(one: Assumed, seen: Seen, call: str) -> Fact:
    """Judge a call that gave nothing: what could not be read contradicts us, what did not come was not seen."""
    problem = seen.problems.get(call, "it was not asked")
    return one.judged(False, problem) if problem.startswith(Unreadable.__name__) else one.unseen(problem)


JUDGES: tuple[Callable[[Seen], Fact], ...] = (
    account_rows, account_modes, balance_figures, account_value, day_trader, margin_calls, portfolio_rows, empty_lists,
    order_rows, order_sequence, marker, list_lag, preview_taken, preview_total, preview_messages, preview_again,
    preview_life,
)  # fmt: skip
