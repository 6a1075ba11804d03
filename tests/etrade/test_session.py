"""What leaves: signed, once, to two hosts only; and what silence means."""

import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from oauthlib.oauth1 import RequestValidator, ResourceEndpoint
from requests import PreparedRequest
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ConnectTimeout, ReadTimeout, SSLError
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError, ProtocolError

from infra.one_machine.loopback import held_port
from shared.deadline import DeadlineAdapter
from shared.errors import InvariantBroken, NotSent, OutcomeUnknown
from shared.etrade.session import PRODUCTION, SANDBOX, Answer, Call, Wire
from tests.etrade import samples
from tests.etrade.loopback import Loopback, outcome, server, wire
from tests.etrade.world import (
    CREDENTIALS,
    START,
    ScriptedBroker,
    SeededChance,
    SteadyClock,
    json_reply,
    world,
)
from tests.patience import PATIENCE_S

CALL = Call(method="GET", url=f"{PRODUCTION}/v1/accounts/list.json?a=1&b=%2Bx")


class ServerSide(RequestValidator):
    """The provider's side of the keys that the tests sign with."""

    def __init__(self) -> None:
        super().__init__()
        self.nonces: set[tuple[str, str]] = set()

    @property
    def dummy_client(self) -> str:
        return "dummy"

    @property
    def dummy_access_token(self) -> str:
        return "dummy"

    def check_client_key(self, client_key: str) -> bool:
        return True

    def check_access_token(self, request_token: str) -> bool:
        return True

    def check_nonce(self, nonce: str) -> bool:
        return len(nonce) == 20 and nonce.isalnum()

    def validate_timestamp_and_nonce(  # noqa: PLR0917 - the signature of oauthlib
        self,
        client_key: str,
        timestamp: str,
        nonce: str,
        request: object,
        request_token: str | None = None,
        access_token: str | None = None,
    ) -> bool:
        fresh = (timestamp, nonce) not in self.nonces
        self.nonces.add((timestamp, nonce))
        return fresh and int(timestamp) == int(START.timestamp())

    @property
    def timestamp_lifetime(self) -> int:
        return 10**12

    def validate_client_key(self, client_key: str, request: object) -> bool:
        return client_key == CREDENTIALS.consumer_key

    def validate_access_token(self, client_key: str, token: str, request: object) -> bool:
        return CREDENTIALS.token is not None and token == CREDENTIALS.token.token

    def validate_realms(
        self, client_key: str, token: str, request: object, uri: str | None = None, realms: object = None
    ) -> bool:
        return True

    def get_client_secret(self, client_key: str, request: object) -> str:
        return CREDENTIALS.consumer_secret

    def get_access_token_secret(self, client_key: str, token: str, request: object) -> str:
        return CREDENTIALS.token.secret if CREDENTIALS.token else ""


def accepted(endpoint: ResourceEndpoint, request: PreparedRequest) -> bool:
    """Tell whether the provider accepts a request's signature."""
    headers = {"Authorization": request.headers["Authorization"]}
    valid, _ = endpoint.validate_protected_resource_request(
        str(request.url), http_method=str(request.method), body=None, headers=headers, realms=[]
    )
    return bool(valid)


def test_the_server_side_accepts_the_signature() -> None:
    """A signed call with query parameters and odd symbols passes oauthlib's own server side."""
    made = world(json_reply(samples.quote_body()), (204, b""))
    made.broker().quotes(["BRK.B", "^SPX", "A B", "AAPL:2026:12:18:CALL:130"])
    made.broker().orders("-key_x", since=datetime(2026, 11, 23, tzinfo=UTC).date())
    endpoint = ResourceEndpoint(ServerSide())
    assert all(accepted(endpoint, request) for request in made.broker_side.requests)
    assert "/quote/BRK.B,%5ESPX,A%20B,AAPL:2026:12:18:CALL:130.json?" in made.broker_side.urls[0]


def test_a_changed_request_fails_the_signature() -> None:
    """The same check refuses a call whose query was changed after signing."""
    adapter = ScriptedBroker((200, b""))
    wire(adapter).send(CALL, CREDENTIALS.signer())
    adapter.requests[0].url = f"{PRODUCTION}/v1/accounts/list.json?a=2"
    assert not accepted(ResourceEndpoint(ServerSide()), adapter.requests[0])


def test_sixteen_threads_share_one_wire() -> None:
    """Sixteen threads on one wire send only valid signatures and never the same nonce."""
    adapter = ScriptedBroker((200, b""))
    shared = wire(adapter)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: shared.send(CALL, CREDENTIALS.signer()), range(160)))
    endpoint = ResourceEndpoint(ServerSide())
    assert sum(accepted(endpoint, request) for request in adapter.requests) == 160


@pytest.mark.parametrize(
    "url",
    [
        "http://api.etrade.com/v1/accounts/list",
        "https://us.etrade.com/e/t/etws/authorize",
        "https://api.etrade.com@elsewhere.invalid/v1",
        "https://api.etrade.com.elsewhere.invalid/v1",
        "https://api.etrade.com:444/v1",
    ],
)
def test_other_hosts_are_refused(url: str) -> None:
    """A call to any other host or scheme is our own bug and does not reach the transport."""
    adapter = ScriptedBroker((200, b""))
    with pytest.raises(InvariantBroken):
        wire(adapter).send(Call(method="GET", url=url), CREDENTIALS.signer())
    assert adapter.requests == []


def test_the_sandbox_has_its_own_host() -> None:
    """With sandbox on, resources are asked of the sandbox host and of nothing else."""
    made = world(json_reply(samples.ACCOUNTS))
    made.sandbox = True
    made.broker().accounts()
    assert made.broker_side.urls == [f"{SANDBOX}/v1/accounts/list.json"]


def test_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies and certificates of the environment have no say: TLS is verified and no proxy is used."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "nowhere")
    adapter = ScriptedBroker((200, b""))
    wire(adapter).send(CALL, CREDENTIALS.signer())
    assert adapter.options == [{"timeout": (3.0, 8.0), "verify": True, "proxies": {}}]


def test_the_network_adapter_never_repeats() -> None:
    """Without another transport the wire uses a pooled adapter with one deadline for all and no retries at all."""
    adapter = Wire(clock=SteadyClock(), chance=SeededChance())._adapter
    assert isinstance(adapter, DeadlineAdapter)
    assert adapter.max_retries.total == 0


def test_a_redirect_is_an_answer() -> None:
    """A redirect is given back as it is and not followed."""
    adapter = ScriptedBroker((302, b"elsewhere"))
    assert wire(adapter).send(CALL, CREDENTIALS.signer()) == Answer(302, b"elsewhere")
    assert len(adapter.requests) == 1


REFUSED = NewConnectionError(None, "refused")  # type: ignore[arg-type]
NO_NAME = NameResolutionError("host", None, socket.gaierror())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        (ConnectTimeout(), NotSent),
        (RequestsConnectionError(MaxRetryError(None, "/", REFUSED)), NotSent),  # type: ignore[arg-type]
        (RequestsConnectionError(MaxRetryError(None, "/", NO_NAME)), NotSent),  # type: ignore[arg-type]
        (RequestsConnectionError(REFUSED), NotSent),
        (
            RequestsConnectionError(ProtocolError("Connection aborted.", ConnectionResetError())),
            OutcomeUnknown,
        ),
        (RequestsConnectionError(), OutcomeUnknown),
        (ReadTimeout(), OutcomeUnknown),
        (SSLError(), OutcomeUnknown),
        (ProtocolError("cut"), OutcomeUnknown),
        (ConnectionResetError(), OutcomeUnknown),
        (ssl.SSLError(), OutcomeUnknown),
    ],
)
def test_each_silence_has_its_type(problem: Exception, kind: type[Exception]) -> None:
    """Only a connection that was never made is NotSent; every other silence is OutcomeUnknown."""
    with pytest.raises(kind) as caught:
        wire(ScriptedBroker(problem)).send(CALL, CREDENTIALS.signer())
    assert caught.value.__context__ is None


def test_a_closed_port_is_not_sent() -> None:
    """A refused connection of the real network stack is NotSent."""
    with held_port() as port:
        assert str(outcome(Loopback(port))).startswith("NotSent")


def test_a_silent_server_is_unknown() -> None:
    """A read time-out of the real network stack is OutcomeUnknown."""
    done = threading.Event()
    with server(lambda peer: (done.wait(PATIENCE_S), None)[1]) as port:
        assert str(outcome(Loopback(port), within_s=0.3)).startswith("OutcomeUnknown")
        done.set()


def test_a_hung_up_server_is_unknown() -> None:
    """A connection closed after the request was read is OutcomeUnknown."""
    with server(lambda peer: None) as port:
        assert str(outcome(Loopback(port))).startswith("OutcomeUnknown")


def test_a_cut_body_is_unknown() -> None:
    """A body that ends too early is OutcomeUnknown, not a short answer."""
    with server(lambda peer: peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}")) as port:
        assert str(outcome(Loopback(port))).startswith("OutcomeUnknown")


def test_broken_tls_is_unknown() -> None:
    """A failed TLS handshake counts as unknown, since nobody knows who got how far."""
    with server(lambda peer: peer.sendall(b"this is no TLS")) as port:
        assert str(outcome(Loopback(port, "https"))).startswith("OutcomeUnknown")


def test_a_whole_answer_comes_through() -> None:
    """Over real sockets status and body arrive as they were sent."""
    with server(lambda peer: peer.sendall(b"HTTP/1.1 418 Odd\r\nContent-Length: 2\r\n\r\n{}")) as port:
        assert outcome(Loopback(port)) == Answer(418, b"{}")
