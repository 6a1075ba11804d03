"""A day's work with etrade-python against the simulator: `python -m tests.clients.scenario_etrade_python KEY SECRET`.

The client is as it was installed. It looks at no proxy of the environment by itself, so it is given a connection that
does, as its constructor offers. It asks for JSON, and signs with code of its own.
"""

import asyncio
import sys
from typing import Any

import httpx
from etrade_python import ETradeClient, ETradeSettings
from etrade_python.accounts import AccountBalanceRequest
from etrade_python.auth.stores import MemoryCredentialStore
from etrade_python.enums import Environment
from etrade_python.exceptions import ETradeHttpAuthenticationError
from etrade_python.orders.builders import OrderBuilder

from tests.clients.steps import NO_CALL, SYMBOL, accept, tell, tries


async def sign_in(client: Any) -> Any:
    """Sign in as a person does; give the credentials."""
    token = await client.oauth.get_request_token()
    address = client.oauth.get_authorization_url(token).url
    credentials = await client.oauth.exchange_verifier(token, await asyncio.to_thread(accept, address))
    await client.session.save(credentials)
    tell("sign in", "done")
    return credentials


async def look_at_market(client: Any) -> float:
    """Ask for quotes and look a symbol up; give what is asked for a share."""
    quotes = (await client.market.get_quotes([SYMBOL, "ZXAA"])).quotes
    assert [one.product.symbol for one in quotes] == [SYMBOL, "ZXAA"]
    tell("quotes", "done")
    assert [one.symbol for one in (await client.market.lookup_product(SYMBOL)).products] == [SYMBOL]
    tell("lookup", "done")
    return float(quotes[0].all.ask)


async def look_at_accounts(client: Any) -> str:
    """Ask for the accounts and a balance; give the key of the cash account."""
    listed = (await client.accounts.list()).accounts
    assert [one.account_status for one in listed] == ["ACTIVE", "ACTIVE", "CLOSED"]
    tell("accounts", "done")
    key = str(listed[0].account_id_key)
    balance = await client.accounts.get_balance(key, AccountBalanceRequest(real_time_nav=True))
    assert balance.account_mode == "CASH"
    tell("balance", "done")
    return key


async def buy(orders: Any, account: str, ask: float) -> None:
    """Preview and place a purchase that fills, and wait for it in the list."""
    wanted = _order(account, "bought", quantity=3, price=round(ask * 1.02, 2))
    previewed = await orders.preview(account, wanted.build_preview_request())
    tell("preview", "done")
    placed = await orders.place(account, wanted.build_place_request(previewed.preview_ids))
    tell("place", "done")
    assert await _status(orders, account, placed.order_ids[0].order_id) == "EXECUTED"
    tell("list", "done")
    tell("one order", NO_CALL)


async def look_at_book(client: Any, account: str) -> None:
    """Ask for what is held, and for what was done."""
    positions = [one async for one in client.portfolio.iter_positions(account)]
    assert [(one.product.symbol, one.quantity) for one in positions] == [(SYMBOL, 3)]
    tell("portfolio", "done")
    done = [one async for one in client.transactions.list_all(account)]
    assert [(one.brokerage.product.symbol, one.brokerage.quantity) for one in done] == [(SYMBOL, 3)]
    tell("transactions", "done")
    number = done[0].transaction_id
    assert str((await client.transactions.get(account, number)).transaction.transaction_id) == number
    tell("one transaction", "done")


async def change_and_cancel(orders: Any, account: str, ask: float) -> None:
    """Place a purchase that rests, change its price, and cancel what it became."""
    wanted = _order(account, "rests", quantity=2, price=round(ask / 2, 2))
    previewed = await orders.preview(account, wanted.build_preview_request())
    placed = await orders.place(account, wanted.build_place_request(previewed.preview_ids))
    first = placed.order_ids[0].order_id
    wanted = _order(account, "changed", quantity=1, price=round(ask / 3, 2)).order_id(first)
    previewed = await orders.preview_change(account, first, wanted.build_change_preview_request())
    tell("preview a change", "done")
    changed = await orders.place_change(account, first, wanted.build_change_place_request(previewed.preview_ids))
    second = changed.order_ids[0].order_id
    assert await _status(orders, account, first) == "CANCELLED"
    tell("change", "done")
    assert (await orders.cancel(account, second)).order_id == second
    assert await _status(orders, account, second) == "CANCELLED"
    tell("cancel", "done")


def _order(account: str, name: str, *, quantity: int, price: float) -> Any:
    builder = OrderBuilder(account).client_order_id(name).quantity_type("QUANTITY")
    return builder.equity_limit(SYMBOL, action="BUY", quantity=quantity, limit_price=str(price))


async def _status(orders: Any, account: str, number: int) -> str:
    """Wait until an order is over, and give its status."""
    for _ in tries():
        rows = [one async for one in orders.list_all(account)]
        (status,) = (one.order_details[0].status for one in rows if one.order_id == number)
        if status not in {"OPEN", "CANCEL_REQUESTED"}:
            return str(status)
    raise AssertionError("unreachable: tries() ends by itself")


async def main(key: str, secret: str) -> None:
    """Play the whole scenario."""
    settings = ETradeSettings(consumer_key=key, consumer_secret=secret, environment=Environment.PRODUCTION)
    async with (
        httpx.AsyncClient() as connection,
        ETradeClient(settings, credential_store=MemoryCredentialStore(), http_client=connection) as client,
    ):
        credentials = await sign_in(client)
        ask = await look_at_market(client)
        account = await look_at_accounts(client)
        await buy(client.orders, account, ask)
        await look_at_book(client, account)
        await change_and_cancel(client.orders, account, ask)
        await client.session.renew()
        tell("renew", "done")
        await client.session.revoke()
        await client.session.save(credentials)
        try:
            await client.accounts.list()
        except ETradeHttpAuthenticationError:
            tell("revoke", "done")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
