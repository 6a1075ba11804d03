"""The probe's two files hold nothing of the owner's, wherever E*TRADE writes it, and the capture fits our parsers."""

import json
from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from infra.brokersim.simulator import CASH_ACCOUNT_KEY
from infra.operations import key
from infra.operations.probing import run
from infra.operations.probing.capture import Redaction, capture
from infra.operations.probing.heard import Heard
from infra.operations.probing.measure import Seen
from infra.operations.probing.pace import Pace
from shared.domain.broker.outcomes import Accepted
from shared.domain.broker.turns import Purpose
from shared.etrade.client import EtradeBroker
from shared.etrade.exchange import Endpoint
from shared.gcp.threads import Threads
from tests.contract.brokers import ticket
from tests.etrade.captures import problems_of
from tests.infra.brokersim.world import NOON
from tests.operations.keyed import KeyHome
from tests.operations.test_probe import SYMBOLS, lively

NUMBER, NAME, KEY = 73519264, "Mx. Q. CANARY", "CANARYkey-canary_key-1"
BELONGS = (str(NUMBER), "CANARY", "canary_key", "simulated-cash-key", "simulated_margin-key", "simulated-consumer")
PLACES = ("accounts", "balance", "portfolio", "orders", "preview", "quote")


def leaks(text: str) -> list[str]:
    """Name what of the owner's stands in a text."""
    return [one for one in BELONGS if one in text]


Plant = Callable[[Any], Any]


def leaves(node: Any, change: Plant) -> Any:
    """Change every value that holds no other."""
    if isinstance(node, dict):
        return {name: leaves(value, change) for name, value in node.items()}
    return [leaves(item, change) for item in node] if isinstance(node, list) else change(node)


def in_texts(node: Any) -> Any:
    """Write number, name and key into every text."""
    return leaves(node, lambda leaf: f"{leaf} {NUMBER} {NAME} {KEY}" if isinstance(leaf, str) else leaf)


def instead_of_texts(node: Any) -> Any:
    """Write the number in the place of every text."""
    return leaves(node, lambda leaf: str(NUMBER) if isinstance(leaf, str) else leaf)


def in_numbers(node: Any) -> Any:
    """Write the number in the place of every number."""
    return leaves(node, lambda leaf: NUMBER if type(leaf) in {int, float} else leaf)


def in_names(node: Any) -> Any:
    """Give every object fields that are named after the owner, and one that holds them under an unknown name."""
    if isinstance(node, dict):
        more = {str(NUMBER): 1, NAME: NUMBER, KEY: {"x": NAME}, "owner": NAME, "taxId": NUMBER}
        return {name: in_names(value) for name, value in node.items()} | more
    return [in_names(item) for item in node] if isinstance(node, list) else node


def no_json(node: Any) -> Any:
    """Answer with a page that names the owner."""
    del node
    return f"<html>{NUMBER} {NAME} {KEY}</html>"


class Planting(BaseAdapter):
    """Carries calls to the simulator, and plants the owner into its answers of one path."""

    def __init__(self, way: BaseAdapter, part: str, plant: Plant) -> None:
        super().__init__()
        self._way, self._part, self._plant = way, part, plant

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Answer with what was planted; what has no body or is a sign-in stays."""
        response = self._way.send(request, *args, **kwargs)
        body = response.raw.read()
        path = str(request.url)
        if "/v1/" in path and f"/{self._part}" in path and body.startswith(b"{"):
            made = self._plant(json.loads(body))
            body = (made if isinstance(made, str) else json.dumps(made)).encode()
        response.raw = BytesIO(body)
        return response

    def close(self) -> None:
        """Hold nothing."""


def with_orders(home: KeyHome) -> Any:
    """Give the hand of an owner who holds shares and has orders, whose account has the number that is looked for."""
    account = home.simulator._broker.accounts[CASH_ACCOUNT_KEY]
    account.account_id, account.description = str(NUMBER), NAME
    hand = home.signed_in()
    given, desk = key.credentials_of(hand), hand.desk
    owner = EtradeBroker(
        credentials=lambda: given, sandbox=False, clock=desk.clock, chance=desk.chance, journal=desk.journal,
        limits=Pace(desk.clock), side_by_side=Threads(desk.clock), caller="owner", purpose=Purpose.ENTER,
        http=home.http,
    )  # fmt: skip
    for name, limit in (("Bought1", "10.02"), ("Rests1", "9.00")):
        wanted = ticket(name, limit=limit, symbol="ZXAA")
        answer: Any = owner.preview(CASH_ACCOUNT_KEY, wanted)
        late = desk.clock.now().replace(hour=23)
        assert isinstance(owner.place(CASH_ACCOUNT_KEY, wanted, answer.preview_ids, deadline=late), Accepted)
        home.clock.forward(3)
    return hand


def written(home: KeyHome, hand: Any, out: Path) -> str:
    """Probe for half a minute and give both files as one text."""
    done = run.probe(hand, minutes=0.5, symbols=SYMBOLS, out=out, tell=lambda _: None)
    return Path(done.report).read_text() + Path(done.capture).read_text()


@pytest.mark.parametrize("plant", [in_texts, instead_of_texts, in_numbers, in_names, no_json])
@pytest.mark.parametrize("part", PLACES)
def test_nothing_of_the_owner_is_written(plant: Plant, part: str, tmp_path: Path) -> None:
    """Whatever place of whatever answer holds the owner's number, name or key, neither file does."""
    home = KeyHome(lively())
    hand = with_orders(home)
    home.http = Planting(home.http, part, plant)  # type: ignore[assignment]
    hand = home.hand()
    assert leaks(written(home, hand, tmp_path)) == []


def test_the_capture_fits_our_parsers(tmp_path: Path) -> None:
    """What the probe of an owner with shares and orders writes is a case that our parsers read without a problem."""
    home = KeyHome(lively())
    text = written(home, with_orders(home), tmp_path)
    assert leaks(text) == []
    case = json.loads((tmp_path / run.CAPTURE).read_text())
    assert {one["endpoint"] for one in case["answers"]} == {
        "accounts", "balance", "portfolio", "orders", "quotes", "preview",
    }  # fmt: skip
    assert any(one["endpoint"] == "portfolio" and one["body"] for one in case["answers"])
    assert problems_of(case) == []


def test_what_somebody_owns_is_not_told(tmp_path: Path) -> None:
    """Neither file tells how much cash there is, which share is held beside those asked for, nor what was paid."""
    home = KeyHome(lively(), starting_cash=Decimal("48313.77"))
    assert "48313" not in written(home, with_orders(home), tmp_path).replace(",", "")
    shown: Any = Redaction(symbols=frozenset({"ZXAA"}), secrets=()).tree({
        "Position": [{"quantity": 53, "pricePaid": 17.25, "Product": {"symbol": "HELD"}, "Quick": {"lastTrade": 18.75}}]
    })  # fmt: skip
    (position,) = shown["Position"]
    assert position == {
        "quantity": 100, "pricePaid": 100.25, "Product": {"symbol": "SYM1"}, "Quick": {"lastTrade": 100.25},
    }  # fmt: skip


def test_types_signs_and_sameness_stay() -> None:
    """A stand-in has the type and sign of what it stands for, nothing stays nothing, and equal ids stay equal."""
    shown: Any = Redaction(symbols=frozenset(), secrets=()).tree([
        {"orderId": 402, "netCash": "-12.50", "cashBalance": 0, "netMv": 0.0, "marginBalance": -7, "limitPrice": None},
        {"orderId": 402, "replacesOrderId": 371, "accountId": "45645298", "allOrNone": False, "status": "OPEN"},
    ])  # fmt: skip
    first, second = shown
    assert first == {
        "orderId": first["orderId"], "netCash": "-100.25", "cashBalance": 0, "netMv": 0.0, "marginBalance": -100,
        "limitPrice": None,
    }  # fmt: skip
    assert first["orderId"] == second["orderId"] != second["replacesOrderId"]
    assert second["accountId"].isdecimal()
    assert (second["allOrNone"], second["status"]) == (False, "OPEN")


class KeepsIds(Redaction):
    """A seeded mistake: numbers stay."""

    def _id(self, node: object) -> object:
        return node


@pytest.mark.parametrize(("secrets", "leaking"), [((), [str(NUMBER)]), ((str(NUMBER),), [])])
def test_a_capture_that_keeps_a_number_is_found(secrets: tuple[str, ...], leaking: list[str]) -> None:
    """Seeded: a redaction that keeps ids is seen by the check, and what is known as secret is swept all the same."""
    body = json.dumps({"BalanceResponse": {"accountId": str(NUMBER)}}).encode()
    heard = Heard(endpoint=Endpoint.BALANCE, sent_at=NOON, received_at=NOON, status=200, body=body)
    seen = Seen(symbols=("ZXAA",), began_at=NOON, heard=[heard])
    made = KeepsIds(symbols=frozenset(), secrets=secrets)
    assert leaks(json.dumps(capture(seen, made, source="a test"))) == leaking
    whole = Redaction(symbols=frozenset(), secrets=())
    assert leaks(json.dumps(capture(seen, whole, source="a test"))) == []
