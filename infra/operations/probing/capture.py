"""E*TRADE's answers in a form that may be shown: their shape, and of their content what belongs to nobody.

What can go wrong: an account's number, a key, a name, an order's id or what somebody owns gets out, in a field that
nobody thought of. What this promises: nothing is kept that is not on a list. The name of a field is kept where the list
has it, else only that there is such a field; its value is kept where the list says that it is a word of E*TRADE's, a
price of the market, a switch or an instant, and has that form; everything else becomes a stand-in of the same type, the
same one for the same value. What is known to be secret is looked for in every value again. A body that is not JSON is
told by its length.

The stand-ins fit our parsers, so a capture is a case for their tests (`tests/etrade/test_captures.py`).
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.operations.probing.facts import word
from infra.operations.probing.heard import Heard
from infra.operations.probing.measure import Seen
from shared.domain.broker.outcomes import Previewed
from shared.etrade.exchange import Endpoint

OF_A_KIND = 3
SHORTEST_SECRET = 5
_CODE = re.compile(r"-?[0-9]{1,5}")
_DATE = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2} [A-Z]{3} [0-9]{2}-[0-9]{2}-[0-9]{4}")
_SECONDS = range(946_684_800, 4_102_444_800)  # 2000 to 2100
_THROTTLED = "Number of requests exceeded the rate limit set"


def _names(text: str) -> frozenset[str]:
    return frozenset(text.lower().split())


NODES = _names("""
    AccountListResponse Accounts Account BalanceResponse Cash Computed ComputedBalance OpenCalls RealTimeValues Margin
    PortfolioMargin Lending PortfolioResponse AccountPortfolio Totals Position Product ProductId Quick QuoteResponse
    QuoteData All ExtendedHourQuoteDetail Messages MessageList Message OrdersResponse Order OrderDetail Instrument
    Events Event PreviewOrderResponse PreviewIds Disclosure cashBpDetails marginBpDetails dtBpDetails settled
    settledUnsettled marginable nonMarginable Error
""")
WORDS = _names("""
    accountMode accountType accountStatus institutionType instType dayTraderStatus optionLevel quoteStatus quoteType
    securityType securitySubType typeCode positionIndicator positionType orderType orderAction quantityType priceType
    orderTerm marketSession status type marginLevelCd egQual cashMargin timeZone primaryExchange
""")
SWITCHES = _names("""
    ahFlag hasMiniOptions adjustedFlag allOrNone dstFlag reserveOrder shareWorksAccount gcd isEmployee
    ehDisclosureFlag ahDisclosureFlag conditionalDisclosureFlag aoDisclosureFlag
""")
MARKET = _names("""
    ask askSize bid bidSize changeClose changeClosePercentage high low open high52 low52 lastTrade previousClose
    previousDayVolume totalVolume lastPrice change percentChange volume changePct dirLast averageVolume upc eps pe beta
    cashDeliverable marketCap sharesOutstanding yield declaredDividend dividend estEarnings openInterest intrinsicValue
    timePremium optionMultiplier contractSize expirationDate
""")
INSTANTS = _names("""
    dateTimeUTC timeOfLastTrade placedTime executedTime previewTime lastTradeTime closedDate dateAcquired
    week52LowDate week52HiDate exDividendDate dividendPayableDate
""")
CLOCKS = _names("dateTime askTime bidTime")
CODES = _names("code optionLevelCd quoteMode totalPages totalNoOfPages nextPageNo daysToExpiration")
OWNED = _names("""
    fundsForOpenOrdersCash moneyMktBalance cashAvailableForInvestment cashAvailableForWithdrawal
    totalAvailableForWithdrawal netCash cashBalance settledCashForInvestment unSettledCashForInvestment
    fundsWithheldFromPurchasePower fundsWithheldFromWithdrawal marginBuyingPower cashBuyingPower dtMarginBuyingPower
    dtCashBuyingPower marginBalance shortAdjustBalance regtEquity regtEquityPercent accountBalance minEquityCall fedCall
    cashCall houseCall totalAccountValue netMv netMvLong netMvShort pricePaid commissions otherFees quantity daysGain
    daysGainPct marketValue totalCost totalGain totalGainPct pctOfPortfolio costPerShare todayCommissions todayFees
    todayPricePaid todayQuantity adjPrevClose totalMarketValue todaysGainLoss todaysGainLossPct totalGainLoss
    totalGainLossPct totalPricePaid orderValue limitPrice stopPrice netPrice netBid netAsk orderedQuantity
    filledQuantity averageExecutionPrice estimatedCommission estimatedFees estimatedTotalAmount totalOrderValue
    cancelQuantity reserveQuantity currentBp currentOor currentNetBp currentOrderImpact netBp totalCommission ratio
""")
IDS = _names("""
    accountId accountIdKey orderId positionId previewId clientOrderId marker replacesOrderId replacedByOrderId
    orderNumber
""")
TEXTS = _names("""
    accountName accountDesc accountDescription symbolDescription companyName description message lotsDetails
    quoteDetails details next osiKey displaySymbol bidExchange optionStyle optionUnderlier nextEarningDate
""")
_PUBLIC = {
    Endpoint.QUOTES: MARKET | INSTANTS, Endpoint.ORDERS: INSTANTS, Endpoint.PREVIEW: INSTANTS,
}  # fmt: skip
_GUARDED = MARKET | INSTANTS
_LISTED = NODES | WORDS | SWITCHES | MARKET | INSTANTS | CLOCKS | CODES | OWNED | IDS | TEXTS | {"symbol"}


@dataclass(slots=True)
class Redaction:
    """Stand-ins, the same for the same value; `symbols` were asked for and may be named, `secrets` never.

    `public` are the figures and instants that may be kept in the answer of now: a price beside a position tells which
    share it is.
    """

    symbols: frozenset[str]
    secrets: tuple[str, ...]
    public: frozenset[str] = frozenset()
    _ids: dict[str, int] = field(default_factory=dict)
    _names: dict[str, int] = field(default_factory=dict)

    def tree(self, node: object, name: str = "") -> object:
        """Give what may be shown of a value of this field."""
        if isinstance(node, Mapping):
            return self._fields(node)
        if isinstance(node, list):
            return [self.tree(item, name) for item in node]
        if node is None or (isinstance(node, bool) and name in _LISTED):
            return node
        shown = self._value(node, name)
        return shown if not self._tells(shown) else self._plain(node)

    def _fields(self, node: Mapping[str, object]) -> dict[str, object]:
        known = {name: value for name, value in node.items() if name.lower() in _LISTED}
        shown: dict[str, object] = {name: self.tree(value, name.lower()) for name, value in known.items()}
        others = [_kind(value) for name, value in node.items() if name not in known]
        return shown | ({"unlisted fields": sorted(others)} if others else {})

    def _value(self, node: object, name: str) -> object:
        for names, keep in _KEEPERS:
            if name in names and name not in _GUARDED - self.public:
                return node if keep(node) else self._plain(node)
        if name == "symbol":
            return node if node in self.symbols else self._alias(node, self._names, "SYM{}")
        if name in IDS:
            return self._id(node)
        return self._plain(node)

    def _id(self, node: object) -> object:
        if isinstance(node, str) and not node:
            return node
        if isinstance(node, str) and not node.isdecimal():
            return self._alias(node, self._ids, "stand-in-{}")
        number = 1000 + self._number(node, self._ids)
        return str(number) if isinstance(node, str) else number

    def _alias(self, node: object, known: dict[str, int], form: str) -> object:
        return form.format(self._number(node, known)) if node else node

    def _number(self, node: object, known: dict[str, int]) -> int:
        return known.setdefault(str(node), len(known) + 1)

    def _tells(self, shown: object) -> bool:
        return any(secret in str(shown) for secret in self.secrets)

    def _plain(self, node: object) -> object:
        """Give a stand-in of the same type: nothing stays nothing, a sign stays."""
        if isinstance(node, str):
            number = _as_number(node)
            return node if not node.strip() else "..." if number is None else str(self._plain(number))
        if isinstance(node, bool) or not isinstance(node, int | float) or not node:
            return node if isinstance(node, int | float) else "..."
        size = 100 if isinstance(node, int) else 100.0 if node == int(node) else 100.25
        return size if node > 0 else -size


def _word(node: object) -> bool:
    return isinstance(node, str) and (not node or word(node) == node)


def _market(node: object) -> bool:
    """Tell whether it is a figure of a market's size, as a number or as text."""
    number = _as_number(node) if isinstance(node, str) else node
    return isinstance(number, int | float) and abs(number) < 1e12


def _instant(node: object) -> bool:
    """Tell whether it is no instant at all, or one of this century in seconds or milliseconds."""
    return isinstance(node, int) and (node == 0 or node in _SECONDS or node // 1000 in _SECONDS)


_KEEPERS: tuple[tuple[frozenset[str], Callable[[object], bool]], ...] = (
    (WORDS, _word),
    (SWITCHES, lambda node: isinstance(node, bool) or node in ("true", "false", "")),
    (MARKET, _market),
    (INSTANTS, _instant),
    (CLOCKS, lambda node: isinstance(node, str) and _DATE.fullmatch(node) is not None),
    (CODES, lambda node: _CODE.fullmatch(str(node)) is not None),
    (frozenset({"message"}), lambda node: node == _THROTTLED),
)


def _as_number(text: str) -> float | None:
    try:
        return float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        return None


def _kind(value: object) -> str:
    """Say of what kind a value is, and nothing else of it."""
    if isinstance(value, bool):
        return "switch"
    kinds = {dict: "object", list: "list", int: "number", float: "number", str: "text"}
    return kinds.get(type(value), "null")


def secrets_of(seen: Seen, given: Iterable[str]) -> tuple[str, ...]:
    """Name what may stand nowhere: numbers and keys of accounts, ids of orders and previews, and what is `given`."""
    accounts = (text for one in seen.accounts or () for text in (one.number, one.key))
    orders = (str(row.order_id or "") for listing in seen.orders for row in listing.rows)
    previews = (str(one) for answer in seen.previews if isinstance(answer, Previewed) for one in answer.preview_ids)
    ticket = () if seen.ticket is None else (seen.ticket.client_order_id,)
    found = {*accounts, *orders, *previews, *ticket, *given}
    return tuple(sorted(text for text in found if len(text) >= SHORTEST_SECRET))


def capture(seen: Seen, redaction: Redaction, *, source: str) -> dict[str, Any]:
    """Give a case: of each endpoint and outcome the first answers, redacted."""
    counted: dict[tuple[str, int], int] = {}
    shown = []
    for answer in seen.heard:
        kind = (answer.endpoint.value, answer.status)
        counted[kind] = counted.get(kind, 0) + 1
        if counted[kind] <= OF_A_KIND:
            redaction.public = _PUBLIC.get(answer.endpoint, frozenset())
            shown.append(_shown(answer, redaction))
    return {"case": "probe", "version": 1, "source": source, "symbols": list(seen.symbols), "answers": shown}


def _shown(answer: Heard, redaction: Redaction) -> dict[str, Any]:
    told: dict[str, Any] = {"endpoint": answer.endpoint.value, "status": answer.status}
    if not answer.body:
        return told | {"body": None}
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return told | {"not_json": len(answer.body)}
    return told | {"body": redaction.tree(body)}
