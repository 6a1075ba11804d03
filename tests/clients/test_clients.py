"""Two public clients, as they were installed, work a day with the simulated broker."""

import json
import os
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from oauthlib.oauth1.rfc5849.signature import collect_parameters
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from infra.brokersim.faults import Fault
from infra.tools.locks import ROOT
from shared.etrade.session import PRODUCTION, Call, Wire
from shared.etrade.signing import Signer
from tests.clients.front import KEY, SECRET, Front, front
from tests.etrade.world import SeededChance, SteadyClock
from tests.patience import PATIENCE_S

STEPS = (
    "sign in", "quotes", "lookup", "accounts", "balance", "preview", "place", "list", "one order", "portfolio",
    "transactions", "one transaction", "preview a change", "change", "cancel", "renew", "revoke",
)  # fmt: skip
NO_CALL = {"pyetrade": set[str](), "etrade_python": {"one order"}}
"""The steps for which a client has no call."""
READS = ("quotes", "lookup", "accounts", "balance", "portfolio", "transactions", "transaction", "orders")
WRITES = ("preview", "place", "preview_change", "place_change", "cancel")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Front]:
    """Give a fresh simulator in the place of E*TRADE's hosts."""
    with front(tmp_path) as one:
        yield one


def played(python: Path, client: str, broker: Front, home: Path, secret: str = SECRET) -> tuple[dict[str, str], str]:
    """Run a scenario in a process of the clients' environment; give how each step went, and what ended it early."""
    words = [str(python), "-m", f"tests.clients.scenario_{client}", KEY, secret]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), **broker.environment}
    done = subprocess.run(  # noqa: S603 - our own scenario
        words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    told = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    return told, "" if done.returncode == 0 else done.stderr


@pytest.mark.parametrize("client", sorted(NO_CALL))
def test_a_public_client_takes_every_step(client: str, python: Path, broker: Front, tmp_path: Path) -> None:
    """Each client takes every step of a day that it has a call for, and the broker's book says the same."""
    told, ended = played(python, client, broker, tmp_path)
    assert ended == ""
    assert tuple(told) == STEPS
    assert {step for step, how in told.items() if how == "no call"} == NO_CALL[client]
    assert all(how.startswith("done") for step, how in told.items() if step not in NO_CALL[client])
    ledger = broker.simulator.ledger()
    assert [order["status"] for order in ledger["orders"]] == ["EXECUTED", "CANCELLED", "CANCELLED"]
    assert (ledger["positions"], ledger["throttled"]) == ({"IBM": 3}, 0)
    assert all(ledger["calls"][endpoint] for endpoint in (*READS, *WRITES, "renew", "revoke"))
    assert [one["outcome"] for one in ledger["place_requests"]] == ["placed"] * 3


@pytest.mark.parametrize("client", sorted(NO_CALL))
def test_a_step_that_fails_is_missed(client: str, python: Path, broker: Front, tmp_path: Path) -> None:
    """Where the broker cannot do a step, no line says that it was done, and the scenario fails."""
    broker.simulator.inject(Fault(endpoint="place_change", kind="server-error-500-100"))
    told, ended = played(python, client, broker, tmp_path)
    assert tuple(told) == STEPS[: STEPS.index("change")]
    assert "500" in ended or "not currently available" in ended


def test_another_secret_signs_nobody_in(python: Path, broker: Front, tmp_path: Path) -> None:
    """What a client signs is verified: with another consumer secret its first request is refused."""
    told, ended = played(python, "pyetrade", broker, tmp_path, secret="another-consumer-secret")
    assert (told, "401" in ended) == ({}, True)


class Kept(BaseAdapter):
    """Keeps what would leave."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[PreparedRequest] = []

    def send(self, request: PreparedRequest, *_: object, **__: object) -> Response:
        """Keep it, and answer that it was understood."""
        self.sent.append(request)
        answer = Response()
        answer.status_code, answer.raw = 200, HTTPResponse(body=BytesIO(b"{}"), preload_content=False)
        return answer

    def close(self) -> None:
        """Nothing to close."""


CALLS = [
    Call(method="GET", url=f"{PRODUCTION}/v1/market/quote/IBM,BRK.B.json?detailFlag=ALL&overrideSymbolCount=true"),
    Call(method="GET", url=f"{PRODUCTION}/v1/accounts/-a_key/balance.json?instType=BROKERAGE&realTimeNAV=true"),
    Call(method="GET", url=f"{PRODUCTION}/v1/accounts/-a_key/orders.json?fromDate=10072013&symbol=IBM%2CZXAA"),
    Call(method="PUT", url=f"{PRODUCTION}/v1/accounts/-a_key/orders/cancel.json", body=b'{"CancelOrderRequest":{}}'),
]
SIGNER = Signer(consumer_key=KEY, consumer_secret="with/a=sign&", token="a+token/of=", token_secret="its+secret/=")


def _text(header: str | bytes) -> str:
    """A header as text; oauthlib signs into bytes."""
    return header.decode() if isinstance(header, bytes) else header


def signed_by_us() -> list[tuple[str, str, dict[str, str]]]:
    """Sign each call as it would leave; give its method, its address, and its OAuth parameters."""
    kept = Kept()
    wire = Wire(clock=SteadyClock(), chance=SeededChance(), http=kept)
    for call in CALLS:
        wire.send(call, SIGNER)
    headers = [{"Authorization": _text(one.headers["Authorization"])} for one in kept.sent]
    parameters = [dict(collect_parameters(headers=one, exclude_oauth_signature=False)) for one in headers]
    return [(call.method, call.url, found) for call, found in zip(CALLS, parameters, strict=True)]


def test_another_signing_gives_our_signatures(python: Path, tmp_path: Path) -> None:
    """The code of another client, which shares no library with ours, signs the same requests with the same text."""
    ours = signed_by_us()
    signatures = [parameters.pop("oauth_signature") for _, _, parameters in ours]
    requests = [{"method": method, "url": url, "parameters": parameters} for method, url, parameters in ours]
    unsigned_query = {**requests[0], "url": str(requests[0]["url"]).partition("?")[0]}
    given = {"key": KEY, "secret": SIGNER.consumer_secret, "token_secret": SIGNER.token_secret}
    done = subprocess.run(  # noqa: S603 - our own words
        [str(python), "-m", "tests.clients.signed"],
        input=json.dumps({**given, "requests": [*requests, unsigned_query]}),
        cwd=ROOT, env={"HOME": str(tmp_path)}, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *theirs, without_query = json.loads(done.stdout)
    assert theirs == signatures
    assert without_query != signatures[0]
