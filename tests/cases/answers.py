"""Answers that E*TRADE could give: what stands between the client and the simulator and changes what is said.

A rule is about one endpoint for a span of the day. It may let the simulator do its work and edit what it said, or
answer in its place, so that nothing happens there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.exceptions import ReadTimeout

from infra.brokersim.faults import Endpoint
from infra.brokersim.routes import route
from infra.one_machine.wsgi import reason_of
from infra.simulated_day.machine import Machine
from shared.codec import dumps, loads
from tests.between import Between

EVER = datetime.max.replace(tzinfo=UTC)
BEFORE = datetime.min.replace(tzinfo=UTC)
SILENCE_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request on its way: `ask` lets the simulator do its work and gives its answer."""

    request: PreparedRequest
    ask: Callable[[], Response]
    machine: Machine


Change = Callable[[Call], Response]


@dataclass(slots=True, kw_only=True)
class Rule:
    """What is said by one endpoint from `since` to `until`, once `when` holds, for as often as `times` says."""

    endpoint: Endpoint
    change: Change
    since: datetime = BEFORE
    until: datetime = EVER
    when: Callable[[Machine], bool] = lambda _machine: True
    times: int = 1_000_000
    said: int = 0

    def holds(self, endpoint: Endpoint, machine: Machine) -> bool:
        """Tell whether the rule is about a call of this moment."""
        meant = endpoint == self.endpoint and self.said < self.times
        return meant and self.since <= machine.kernel.now() < self.until and self.when(machine)


class Answers(Between):
    """Carries requests to the simulator, as its rules say."""

    def __init__(self, *rules: Rule) -> None:
        super().__init__()
        self.rules = list(rules)
        self._machine: Machine | None = None

    def between(self, inner: BaseAdapter) -> BaseAdapter:
        """Stand in front of a connection."""
        self.inner = inner
        return self

    def ready(self, machine: Machine) -> None:
        """Learn which day it is."""
        self._machine = machine

    def carry(self, request: PreparedRequest) -> Response:
        """Carry one request."""
        on = super().carry
        if self._machine is None:
            return on(request)
        endpoint = route(request.method or "GET", urlsplit(request.url or "").path).endpoint
        machine = self._machine
        rule = next((one for one in self.rules if one.holds(endpoint, machine)), None)
        if rule is None:
            return on(request)
        rule.said += 1
        answer = rule.change(Call(request=request, ask=lambda: on(request), machine=machine))
        answer.url, answer.request = request.url or "", request
        return answer


def says(body: object, *, status: int = 200, kind: str = "application/json") -> Change:
    """Answer in the simulator's place: JSON, or bytes as they are."""
    raw = body if isinstance(body, bytes) else dumps(body)
    return lambda _call: response(status, raw, kind)


def silent() -> Change:
    """Answer nothing within any time-out."""

    def wait(call: Call) -> Response:
        call.machine.kernel.sleep(SILENCE_S)
        raise ReadTimeout("no answer")

    return wait


def cut() -> Change:
    """Break off in the middle of the body."""

    def half(call: Call) -> Response:
        answer = call.ask()
        return response(200, (answer.content or b'{"Re')[: max(4, len(answer.content) // 2)])

    return half


def edited(edit: Callable[[Any], object], *, empty: str = '{"OrdersResponse": {"Order": []}}') -> Change:
    """Let the simulator answer and edit its JSON in place; `empty` is what an answer without a body stands for."""

    def change(call: Call) -> Response:
        answer = call.ask()
        if answer.status_code not in {200, 204}:
            return answer
        body = loads(answer.content or empty.encode())
        edit(body)
        return response(200, dumps(body))

    return change


def hangs(seconds: float) -> Change:
    """Take a long while, as a process that freezes before it sends, and then do what was asked."""

    def wait(call: Call) -> Response:
        call.machine.kernel.sleep(seconds)
        return call.ask()

    return wait


def lost(deed: Callable[[Call], object], *, arrives: bool = True) -> Change:
    """Do what was asked, or lose it on its way; let something else happen in the same moment, and lose the answer."""

    def change(call: Call) -> Response:
        if arrives:
            call.ask()
        deed(call)
        raise ReadTimeout("no answer")

    return change


def response(status: int, body: bytes, kind: str = "application/json") -> Response:
    """Make an answer."""
    made = Response()
    made.status_code, made.reason, made.raw = status, reason_of(status), BytesIO(body)
    made.headers["Content-Type"] = kind
    return made
