"""Every answer of E*TRADE's as it came, beside the client that reads it.

What can go wrong: listening changes what the client reads, or an answer without an end is kept whole. What this
promises: the client gets the same bytes at the same pace, within its own bounds, and what is kept is what it read. It
stays in memory: what of it is written down is for `capture` and `judge` to say, and neither takes a body as it is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from shared.etrade.exchange import Endpoint
from shared.etrade.faults import Fault, fault
from shared.etrade.session import Answer
from shared.ports import Clock

_ENDS = {
    "list.json": Endpoint.ACCOUNTS, "balance.json": Endpoint.BALANCE, "portfolio.json": Endpoint.PORTFOLIO,
    "orders.json": Endpoint.ORDERS, "preview.json": Endpoint.PREVIEW,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One answer: instants around it, status, the headers that say something, and the body, which no repr shows."""

    endpoint: Endpoint
    sent_at: datetime
    received_at: datetime
    status: int
    body: bytes = field(repr=False)
    date: str = ""
    retry_after: bool = False

    @property
    def seconds(self) -> float:
        """How long the round trip took."""
        return (self.received_at - self.sent_at).total_seconds()

    @property
    def good(self) -> bool:
        """Whether it is an answer, or says that there is nothing."""
        return self.status == 200 or (self.status == 204 and not self.body)

    @property
    def fault(self) -> Fault | None:
        """What went wrong, None for an answer."""
        return None if self.good else fault(Answer(self.status, self.body, self.date))


class Ear(BaseAdapter):
    """Carries calls as `way` does, and keeps each answer that was read to its end in `heard`; `lost` counts others."""

    def __init__(self, way: BaseAdapter, clock: Clock) -> None:
        super().__init__()
        self._way = way
        self._clock = clock
        self.heard: list[Heard] = []
        self.lost = 0

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Carry one call; what the way raises passes."""
        sent_at = self._clock.now()
        self.lost += 1
        response = self._way.send(request, *args, **kwargs)
        told = response.headers
        endpoint = _endpoint(str(request.url))

        def done(body: bytes) -> None:
            self.lost -= 1
            self.heard.append(Heard(
                endpoint=endpoint, sent_at=sent_at, received_at=self._clock.now(), status=response.status_code,
                body=body, date=told.get("Date", ""), retry_after="Retry-After" in told,
            ))  # fmt: skip

        response.raw = _Overheard(response.raw, done)
        return response

    def close(self) -> None:
        """Let the connections go."""
        self._way.close()


class _Overheard:
    """A body that is read by somebody else; `done` gets it when it has ended."""

    def __init__(self, raw: Any, done: Callable[[bytes], None]) -> None:
        self._raw = raw
        self._done = done

    def stream(self, size: int, **kwargs: Any) -> Iterator[bytes]:
        """Give the pieces on."""
        pieces: list[bytes] = []
        whole = self._raw.stream(size, **kwargs) if hasattr(self._raw, "stream") else iter(
            partial(self._raw.read, size), b""
        )  # fmt: skip
        for piece in whole:
            pieces.append(piece)
            yield piece
        self._done(b"".join(pieces))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


def _endpoint(url: str) -> Endpoint:
    path = urlsplit(url).path
    return Endpoint.QUOTES if "/market/quote/" in path else _ENDS[path.rpartition("/")[2]]
