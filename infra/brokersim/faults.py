"""The seam for faults: what goes wrong, at which endpoint, how often, before or after the effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from infra.brokersim.wire import CATCH_ALL, JSON, THROTTLED, Answer, Refused, gateway_page, refusal

FaultKind = Literal["reset", "server-error-500-100", "html-502", "throttle", "empty-200"]
Endpoint = Literal[
    "index",
    "request_token",
    "authorize",
    "access_token",
    "renew",
    "revoke",
    "accounts",
    "balance",
    "portfolio",
    "transactions",
    "transaction",
    "quotes",
    "lookup",
    "preview",
    "place",
    "orders",
    "order",
    "cancel",
    "preview_change",
    "place_change",
]


class ConnectionDropped(ConnectionError):
    """The broker closed the connection without an answer; the loopback server closes the socket for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The next `count` calls of `endpoint` go wrong; with `after_effect` the work is done by then."""

    endpoint: Endpoint
    kind: FaultKind
    after_effect: bool = False
    count: int = 1


class FaultPlan:
    """The faults still to come, in the order they were injected."""

    def __init__(self) -> None:
        self._waiting: dict[Endpoint, list[Fault]] = {}

    def add(self, fault: Fault) -> None:
        """Queues a fault behind those already waiting for its endpoint."""
        self._waiting.setdefault(fault.endpoint, []).extend([fault] * fault.count)

    def take(self, endpoint: Endpoint) -> Fault | None:
        """The fault that the next call of `endpoint` suffers, if any."""
        waiting = self._waiting.get(endpoint)
        return waiting.pop(0) if waiting else None


def faulty_answer(fault: Fault) -> Answer:
    """What the client gets to see of a fault; raises ConnectionDropped for a reset."""
    match fault.kind:
        case "reset":
            raise ConnectionDropped(f"injected reset of {fault.endpoint}")
        case "server-error-500-100":
            return refusal(Refused(CATCH_ALL, code=100, status=500))
        case "html-502":
            return gateway_page()
        case "throttle":
            return refusal(Refused(THROTTLED, code=None))
        case "empty-200":
            return Answer(200, JSON, b"")
