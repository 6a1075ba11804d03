"""Spells accounts, balances and positions as captured answers do (fact sheet, sections 3.1-3.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from infra.brokersim.account import Account, Position
from infra.brokersim.market import Market
from infra.brokersim.orders import Fill
from infra.brokersim.standing import Standing
from infra.brokersim.tape import NEW_YORK, microseconds
from infra.brokersim.wire import Answer, Refused, Request, json_answer, nothing_found

_DEFAULT_COUNT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What an answer is spelled against: the market at an instant, and the address that hrefs begin with."""

    market: Market
    at: datetime
    in_hours: bool
    url: str

    def last(self, symbol: str) -> Decimal:
        """The last price of a symbol, before its first row its previous close."""
        row = self.market.quote(symbol, self.at)
        return row.last if row else self.market.previous_close(symbol)

    def worth(self, account: Account) -> Decimal:
        """What the positions of an account are worth in dollars."""
        values = (position.quantity * self.last(symbol) for symbol, position in account.positions.items())
        return sum(values, Decimal(0))


def milliseconds(at: datetime) -> int:
    """Epoch milliseconds, as order times are sent."""
    return microseconds(at) // 1000


def money(amount: Decimal, places: str = "0.01") -> float:
    """Dollars as a JSON number, rounded to the cent unless told otherwise."""
    return float(amount.quantize(Decimal(places)))


def product(symbol: str) -> dict[str, str]:
    """The `Product` of an equity."""
    return {"symbol": symbol, "securityType": "EQ"}


def number_in(query: Mapping[str, str], name: str, default: int) -> int:
    """A whole number above zero from the query; Refused 2005 (invalid count) otherwise."""
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) < 65_536:
        raise Refused(f"Invalid {name}.", code=2005)
    return int(text)


def account_list(accounts: Iterable[Account]) -> Answer:
    """The owner's accounts, the closed one too."""
    rows = [
        {
            "accountId": account.account_id,
            "accountIdKey": account.key,
            "accountMode": account.mode,
            "accountDesc": account.description,
            "accountName": "",
            "accountType": "MARGIN" if account.margin else "INDIVIDUAL",
            "institutionType": "BROKERAGE",
            "accountStatus": "CLOSED" if account.closed_at else "ACTIVE",
            "closedDate": int(account.closed_at.timestamp()) if account.closed_at else 0,
            "shareWorksAccount": False,
        }
        for account in accounts
    ]
    return json_answer({"AccountListResponse": {"Accounts": {"Account": rows}}})


def balance(account: Account, request: Request, scene: Scene, standing: Standing) -> Answer:
    """Cash, what of it is settled, and buying power; `RealTimeValues` only when asked for."""
    if request.query.get("instType") != "BROKERAGE":
        raise Refused("Invalid institution type", code=7002)
    computed = _computed(account, scene.at) | {"OpenCalls": standing.told()}
    if request.query.get("realTimeNAV", "false").lower() == "true":
        worth = scene.worth(account)
        computed["RealTimeValues"] = {
            "totalAccountValue": money(account.cash + worth),
            "netMv": money(worth),
            "netMvLong": money(worth),
            "netMvShort": 0,
        }
    content = {
        "accountId": account.account_id,
        "accountType": "MARGIN" if account.margin else "INDIVIDUAL",
        "optionLevel": "LEVEL_1",
        "accountDescription": account.description,
        "quoteMode": 0,
        "dayTraderStatus": standing.day_trader_status,
        "accountMode": account.mode,
        "Cash": {"fundsForOpenOrdersCash": money(account.reserved_cash()), "moneyMktBalance": 0},
        "Computed": computed,
    }
    return json_answer({"BalanceResponse": standing.left(content)})


def _computed(account: Account, at: datetime) -> dict[str, Any]:
    """The `Computed` block: a cash account lacks the margin fields."""
    settled, power, held = account.settled_cash(at), account.buying_power(at), account.reserved_cash()
    computed: dict[str, Any] = {
        "cashAvailableForInvestment": money(power),
        "cashAvailableForWithdrawal": money(settled - held),
        "totalAvailableForWithdrawal": money(settled - held),
        "netCash": money(account.cash),
        "cashBalance": money(account.cash),
        "settledCashForInvestment": money(settled - held),
        "unSettledCashForInvestment": money(account.cash - settled),
        "fundsWithheldFromPurchasePower": 0,
        "fundsWithheldFromWithdrawal": 0,
        "cashBuyingPower": money(power),
        "accountBalance": money(account.cash),
    }
    if account.margin:
        computed |= {"marginBuyingPower": money(power), "marginBalance": 0, "dtCashBuyingPower": 0}
    return computed


def portfolio(account: Account, request: Request, scene: Scene) -> Answer:
    """One page of positions in symbol order; 204 when there are none."""
    if request.query.get("view", "QUICK") != "QUICK":
        raise Refused("Only the view QUICK is simulated.", code=101)
    count = number_in(request.query, "count", _DEFAULT_COUNT)
    page = number_in(request.query, "pageNumber", 1)
    held = sorted(account.positions.items())
    pages = -(-len(held) // count)
    shown = held[(page - 1) * count : page * count]
    if not shown:
        return nothing_found()
    worth = scene.worth(account)
    own: dict[str, Any] = {"accountId": account.account_id, "totalPages": pages}
    if page < pages:
        path = f"/v1/accounts/{account.key}/portfolio{request.suffix}?count={count}&pageNumber={page + 1}"
        own["next"] = scene.url + path
        own["nextPageNo"] = str(page + 1)
    own["Position"] = [_position(account, symbol, one, worth, scene) for symbol, one in shown]
    content: dict[str, Any] = {"AccountPortfolio": [own]}
    if request.query.get("totalsRequired", "false").lower() == "true":
        cost = sum((one.cost for _, one in held), Decimal(0))
        content["Totals"] = {
            "totalMarketValue": money(worth),
            "totalGainLoss": money(worth - cost),
            "totalGainLossPct": money((worth - cost) * 100 / cost),
            "totalPricePaid": money(cost),
            "cashBalance": money(account.cash),
        }
    return json_answer({"PortfolioResponse": content})


def _position(account: Account, symbol: str, position: Position, worth: Decimal, scene: Scene) -> dict[str, Any]:
    value, each = position.quantity * scene.last(symbol), position.cost / position.quantity
    gain = value - position.cost
    position_id = 100_000 + scene.market.symbols.index(symbol)
    return {
        "positionId": position_id,
        "symbolDescription": symbol,
        "dateAcquired": milliseconds(position.opened),
        "pricePaid": money(each, "0.0001"),
        "commissions": 0,
        "otherFees": 0,
        "quantity": position.quantity,
        "positionIndicator": "TYPE2" if account.margin else "TYPE1",
        "positionType": "LONG",
        "daysGain": money(gain),
        "daysGainPct": money(gain * 100 / position.cost, "0.0001"),
        "marketValue": money(value),
        "totalCost": money(position.cost),
        "totalGain": money(gain),
        "totalGainPct": money(gain * 100 / position.cost, "0.0001"),
        "pctOfPortfolio": money(value * 100 / worth, "0.0001"),
        "costPerShare": money(each, "0.0001"),
        "todayCommissions": 0,
        "todayFees": 0,
        "todayPricePaid": money(each, "0.0001"),
        "todayQuantity": _bought_today(account.fills, symbol, scene.at),
        "adjPrevClose": money(scene.market.previous_close(symbol), "0.0001"),
        "lotsDetails": f"{scene.url}/v1/accounts/{account.key}/portfolio/{position_id}",
        "quoteDetails": f"{scene.url}/v1/market/quote/{symbol}",
        "Product": product(symbol),
        "Quick": _quick(symbol, scene),
    }


def _quick(symbol: str, scene: Scene) -> dict[str, Any]:
    row, last, close = (
        scene.market.quote(symbol, scene.at),
        scene.last(symbol),
        scene.market.previous_close(symbol),
    )
    return {
        "lastTrade": money(last, "0.0001"),
        "lastTradeTime": int(row.at.timestamp()) if row else 0,
        "change": money(last - close, "0.0001"),
        "changePct": money((last - close) * 100 / close, "0.0001"),
        "volume": row.day_volume if row else 0,
        "quoteStatus": "REALTIME" if scene.in_hours else "CLOSING",
    }


def _bought_today(fills: Iterable[Fill], symbol: str, at: datetime) -> int:
    today = at.astimezone(NEW_YORK).date()
    mine = (fill for fill in fills if fill.ticket.symbol == symbol and fill.at.astimezone(NEW_YORK).date() == today)
    return sum(fill.quantity if fill.ticket.action == "BUY" else -fill.quantity for fill in mine)
