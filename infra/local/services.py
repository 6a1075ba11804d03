"""The bus and the vault of the one-machine cloud, for functions in processes of their own: JSON over loopback.

What can go wrong: another program of this machine calls, a thread touches the kernel, a secret reaches a log. What
this promises: who does not show the run's key is refused before anything is read; publishing happens as an invocation
of the kernel, and the answer says that the message is on the disk; no request is logged.
"""

import hmac
import secrets
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from werkzeug.serving import WSGIRequestHandler, make_server

from infra.local.bus import LocalBus
from infra.local.live import LiveKernel
from infra.local.loopback import LOOPBACK
from infra.local.vault import FileVault
from infra.local.wire import Services, content, text
from shared.codec import dumps, loads
from shared.errors import InvariantBroken, Malformed, NotSent, StoreDown

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MAX_BODY = 1 << 20
_POLL_S = 0.05
_LINES = {200: "200 OK", 403: "403 Forbidden", 404: "404 Not Found", 409: "409 Conflict", 503: "503 Unavailable"}

Answer = tuple[int, Any]
T = TypeVar("T")


class ServiceDesk:
    """Serves bus and vault on a free port of loopback while it is entered."""

    def __init__(self, *, kernel: LiveKernel, bus: LocalBus, vault: FileVault) -> None:
        self._kernel = kernel
        self._bus = bus
        self._vault = vault
        self._key = secrets.token_urlsafe(32)
        self._server = make_server(LOOPBACK, 0, self._app, threaded=True, request_handler=_Silent)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_S,), daemon=True)
        self._calls: dict[str, Callable[[dict[str, Any]], Any]] = {
            "/publish": self._publish,
            "/vault/add": lambda ask: vault.add(ask["secret"], content(ask["value"])),
            "/vault/read": lambda ask: text(_there(vault.read, ask["secret"], ask["version"])),
            "/vault/versions": lambda ask: list(vault.versions(ask["secret"])),
            "/vault/destroy": lambda ask: _there(vault.destroy, ask["secret"], ask["version"]),
        }

    @property
    def services(self) -> Services:
        """Where it listens, and its key."""
        return Services(address=f"{LOOPBACK}:{self._server.port}", key=self._key)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _publish(self, ask: dict[str, Any]) -> str:
        def publish() -> str:
            return self._bus.publish(
                ask["topic"], content(ask["data"]), attributes=ask["attributes"], ordering_key=ask["ordering_key"]
            )

        return self._kernel.ask(publish, name="publish")

    def _app(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        status, answer = self._answer(environ)
        start_response(_LINES[status], [("Content-Type", "application/json")])
        return [dumps(answer)]

    def _answer(self, environ: "WSGIEnvironment") -> Answer:
        given = environ.get("HTTP_AUTHORIZATION", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._key}".encode()):
            return 403, "this is not the key of this run"
        call = self._calls.get(environ["PATH_INFO"])
        if call is None or environ["REQUEST_METHOD"] != "POST":
            return 409, "no such call"
        try:
            return 200, call(_question(environ))
        except _Missing:
            return 404, "no such version"
        except (NotSent, StoreDown) as problem:
            return 503, problem.detail
        except CancelledError:
            return 503, "the one-machine cloud is closing"
        except InvariantBroken as problem:
            return 409, problem.detail
        except (Malformed, KeyError, TypeError, ValueError):
            return 409, "this is not how the call is asked"


class _Missing(Exception):
    """The vault has no such version."""


def _there(call: Callable[[str, str], T], secret: str, version: str) -> T:
    """Call the vault; what it does not have is told apart from what a question does not say."""
    try:
        return call(secret, version)
    except KeyError:
        raise _Missing from None


def _question(environ: "WSGIEnvironment") -> dict[str, Any]:
    """Read what is asked; raises Malformed, ValueError."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if not 0 <= length <= MAX_BODY:
        raise Malformed("too large")
    asked: dict[str, Any] = loads(environ["wsgi.input"].read(length))
    return asked


class _Silent(WSGIRequestHandler):
    """Does not write a line for each request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Says nothing."""
