"""A server between a Google library and its emulator that loses calls and answers on demand."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

STREAMING = frozenset({"BatchGetDocuments", "RunQuery"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to one call: whether it arrives, what its caller sees, and what happens meanwhile.

    The caller sees `status`, or the answer as `alter` leaves it.
    """

    arrives: bool
    status: Any = grpc.StatusCode.UNAVAILABLE
    meanwhile: Callable[[], object] = lambda: None
    alter: Callable[[bytes], bytes] | None = None


@dataclass(slots=True)
class Lossy:
    """The faults of the next calls by method (None lets one pass), every call seen, and the address to use."""

    address: str = ""
    faults: dict[str, deque[Fault | None]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def plan(self, method: str, *faults: Fault | None) -> None:
        """Have the next calls of a method meet these faults in turn."""
        self.faults[method] = deque(faults)

    def count(self, method: str) -> int:
        """Count the calls of a method."""
        return self.calls.count(method)


class _Relay(grpc.GenericRpcHandler):  # type: ignore[misc] # the library has no types
    """Passes every call on as bytes."""

    def __init__(self, lossy: Lossy, channel: Any) -> None:
        self._lossy = lossy
        self._channel = channel

    def service(self, details: Any) -> Any:
        method = details.method.rpartition("/")[2]
        streaming = method in STREAMING
        kind = self._channel.unary_stream if streaming else self._channel.unary_unary
        call = kind(details.method)

        def serve(request: bytes, context: Any) -> Any:
            self._lossy.calls.append(method)
            planned = self._lossy.faults.get(method)
            fault = planned.popleft() if planned else None
            metadata = [
                pair for pair in context.invocation_metadata() if not pair.key.startswith(("user-agent", "grpc"))
            ]
            answers: list[bytes] = []
            try:
                answer = call(request, timeout=20, metadata=metadata) if fault is None or fault.arrives else None
                answers = [] if answer is None else [*answer] if streaming else [answer]
            except grpc.RpcError as refusal:
                context.abort(refusal.code(), refusal.details())
            if fault is not None and fault.alter is not None:
                answers = [fault.alter(one) for one in answers]
            elif fault is not None:
                fault.meanwhile()
                context.abort(fault.status, "lost")
            return iter(answers) if streaming else answers[0]

        return (grpc.unary_stream_rpc_method_handler if streaming else grpc.unary_unary_rpc_method_handler)(serve)


@contextmanager
def lossy_before(target: str, *, port: int = 0) -> Iterator[Lossy]:
    """Run the server before a target on loopback, on a free port unless one is named."""
    lossy = Lossy()
    pool = ThreadPoolExecutor(8, thread_name_prefix="lossy")
    with grpc.insecure_channel(target) as channel:
        server = grpc.server(pool)
        server.add_generic_rpc_handlers((_Relay(lossy, channel),))
        lossy.address = f"127.0.0.1:{server.add_insecure_port(f'127.0.0.1:{port}')}"
        server.start()
        try:
            yield lossy
        finally:
            server.stop(None).wait()
            pool.shutdown()
