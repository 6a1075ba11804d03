"""Servers on loopback that answer as badly as a test asks, and the way from the client's wire to them."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter, HTTPAdapter

from shared.deadline import DeadlineAdapter
from shared.errors import NotSent, OutcomeUnknown, Unreadable
from shared.etrade.session import PRODUCTION, Answer, Call, Wire
from tests.etrade.world import CREDENTIALS, SeededChance, SteadyClock
from tests.patience import PATIENCE_S

Talk = Callable[[socket.socket], None]


class Loopback(BaseAdapter):
    """The real network adapter, or another one in its place, led to a loopback port."""

    def __init__(self, port: int, scheme: str = "http", *, real: HTTPAdapter | None = None, verify: object = True):
        super().__init__()
        self._base = f"{scheme}://127.0.0.1:{port}"
        self._real = real or DeadlineAdapter(connections=1)
        self._verify = verify

    def send(self, request: PreparedRequest, *_: object, **options: Any) -> Response:
        """Carry one request to the port."""
        request.url = str(request.url).replace(PRODUCTION, self._base)
        return self._real.send(request, **{**options, "verify": self._verify})

    def close(self) -> None:
        """Let the connections go."""
        self._real.close()


@contextlib.contextmanager
def server(
    talk: Talk, *, reads: bool = True, heard: Callable[[bytes], object] = lambda _request: None
) -> Iterator[int]:  # fmt: skip
    """Serve any number of connections on loopback: each request is `heard`, and `talk` answers until hung up on."""
    gone = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve(peer: socket.socket) -> None:
            with peer, contextlib.suppress(OSError):
                if reads:
                    heard(peer.recv(65536))
                talk(peer)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    peer, _ = listener.accept()
                    if gone.is_set():
                        peer.close()
                        return
                    workers.append(threading.Thread(target=serve, args=(peer,)))
                    workers[-1].start()

        workers = [threading.Thread(target=accept)]
        workers[0].start()
        try:
            yield listener.getsockname()[1]
        finally:
            gone.set()
            socket.create_connection(listener.getsockname()).close()
            for worker in workers:
                worker.join(PATIENCE_S)


def wire(adapter: BaseAdapter) -> Wire:
    """Make the wire under test on a transport."""
    return Wire(clock=SteadyClock(), chance=SeededChance(), http=adapter)


def outcome(adapter: BaseAdapter, *, within_s: float = PATIENCE_S) -> Answer | str:
    """Send one request and give the answer, or the class of the failure and what it says."""
    call = Call(method="GET", url=f"{PRODUCTION}/v1/accounts/list.json", within_s=within_s)
    try:
        return wire(adapter).send(call, CREDENTIALS.signer())
    except (NotSent, OutcomeUnknown, Unreadable) as problem:
        return f"{type(problem).__name__}: {problem.detail}"
    finally:
        adapter.close()
