"""The bus and the vault of the one-machine cloud, for functions in processes of their own: JSON over loopback.

What can go wrong: another program of this machine calls, a function is taken over and asks for what is not its own, a
thread touches the kernel, a secret reaches a log. What this promises: each function has a key of its own for each run,
and the owner's commands another; who shows none of them is refused before anything is read; each call is held to the
rights that the topology gives the key's holder, here as in the function itself (shared/guard.py), and what goes beyond
them is refused and journalled; publishing happens as an invocation of the kernel, and the answer says that the message
is on the disk; no request is logged. The owner may do all with secrets and publishes nothing.
"""

import hmac
import secrets
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from werkzeug.serving import WSGIRequestHandler, make_server

from infra.one_machine.bus import LocalBus
from infra.one_machine.live import LiveKernel
from infra.one_machine.loopback import LOOPBACK
from infra.one_machine.vault import FileVault
from infra.one_machine.wire import Services, content, text
from shared.codec import dumps, loads
from shared.errors import InvariantBroken, Malformed, NotSent, PermissionDenied, StoreDown
from shared.guard import Guard, GuardedVault
from shared.ports import Journal, Scalar, Severity
from shared.stored import Domain
from shared.topology import RW, Function, Topology

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

OWNER = "owner"
MAX_BODY = 1 << 20
_POLL_S = 0.05
_LINES = {200: "200 OK", 403: "403 Forbidden", 404: "404 Not Found", 409: "409 Conflict", 503: "503 Unavailable"}

Answer = tuple[int, Any]
Calls = dict[str, Callable[[dict[str, Any]], Any]]
T = TypeVar("T")


class ServiceDesk:
    """Serves bus and vault on a free port of loopback while it is entered."""

    def __init__(
        self, *, kernel: LiveKernel, bus: LocalBus, vault: FileVault, topology: Topology, journal: Journal
    ) -> None:  # fmt: skip
        self._kernel = kernel
        self._bus = bus
        self._vault = vault
        callers = (*topology.functions, _owner(topology))
        self._keys = {caller.name: secrets.token_urlsafe(32) for caller in callers}
        told = _FromTheKernel(kernel, journal)
        self._calls = {caller.name: self._calls_of(Guard(caller, told)) for caller in callers}
        self._server = make_server(LOOPBACK, 0, self._app, threaded=True, request_handler=_Silent)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_S,), daemon=True)

    def services(self, caller: str) -> Services:
        """Where it listens, and the key of a function, or of `OWNER`; raises KeyError for anybody else."""
        return Services(address=f"{LOOPBACK}:{self._server.port}", key=self._keys[caller])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _calls_of(self, guard: Guard) -> Calls:
        """Give what one caller may ask for, each call behind its rights."""
        vault = GuardedVault(self._vault, guard)
        return {
            "/publish": lambda ask: self._publish(guard, ask),
            "/vault/add": lambda ask: vault.add(ask["secret"], content(ask["value"])),
            "/vault/read": lambda ask: text(_there(vault.read, ask["secret"], ask["version"])),
            "/vault/versions": lambda ask: list(vault.versions(ask["secret"])),
            "/vault/destroy": lambda ask: _there(vault.destroy, ask["secret"], ask["version"]),
        }

    def _publish(self, guard: Guard, ask: dict[str, Any]) -> str:
        guard.topic(ask["topic"])

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
        caller = self._caller(environ.get("HTTP_AUTHORIZATION", ""))
        if caller is None:
            return 403, "this is no key of this run"
        call = self._calls[caller].get(environ["PATH_INFO"])
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
        except PermissionDenied as problem:
            return 403, problem.detail
        except InvariantBroken as problem:
            return 409, problem.detail
        except (Malformed, KeyError, TypeError, ValueError):
            return 409, "this is not how the call is asked"

    def _caller(self, shown: str) -> str | None:
        """Tell whose key is shown, comparing with every one of them, however early one fits."""
        whose = [
            name for name, key in self._keys.items() if hmac.compare_digest(shown.encode(), f"Bearer {key}".encode())
        ]
        return whose[0] if whose else None


def _owner(topology: Topology) -> Function:
    """Give the owner's commands their rights: every secret; what they do is announced by functions."""
    return Function(
        name=OWNER, purpose="the owner's commands", home=Domain.OWNER, secrets=dict.fromkeys(topology.secrets, RW)
    )


class _FromTheKernel:
    """A Journal for the server's threads, written by the kernel's before they go on; not at all once it has ended."""

    def __init__(self, kernel: LiveKernel, journal: Journal) -> None:
        self._kernel = kernel
        self._journal = journal

    def line(self, event: str, severity: Severity = Severity.INFO, **fields: Scalar) -> None:
        """Have one line written, and wait until it is."""
        with suppress(CancelledError):
            self._kernel.ask(lambda: self._journal.line(event, severity, **fields), name="journal")


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
