"""A price from elsewhere: beside what is held, and never among what is traded on."""

from decimal import Decimal
from pathlib import Path

from infra.one_machine.sqlite_store import SqliteStore
from infra.running.folder import Folder
from shared.domain.market.fallback import FallbackQuote
from shared.gcp.clock import SystemClock
from shared.usecases.base.desk import put
from tests.domain.made import position
from tests.operations.desks import answer, strategy, write_card


def test_a_price_from_elsewhere_stands_beside_what_is_held(tmp_path: Path) -> None:
    """While E*TRADE gives none, positions and status name it with its source, as not traded on."""
    write_card(tmp_path / "desk", broker="production", mode="paper")
    now = SystemClock().now()
    price = FallbackQuote(symbol="IBM", last=Decimal("98.7"), at=now, source="yahoo", asked_at=now, since=now)
    store = SqliteStore(Folder(path=tmp_path / "desk").store, durable=True)
    store.commit([put("positions/IBM", position()), put("fallback_quotes/IBM", price)])
    store.close()
    words = ("--state", str(tmp_path / "desk"))
    done = strategy("positions", *words)
    assert "NOT TRADED ON: IBM 98.7 USD, says yahoo, its delay not known" in done.stderr
    assert "98.70*" in done.stdout
    assert "it is in no sum" in done.stdout
    assert "98.7 USD, says yahoo" in strategy("status", *words).stdout
    assert [one["last"] for one in answer("status", *words)["elsewhere"]] == ["98.7"]
