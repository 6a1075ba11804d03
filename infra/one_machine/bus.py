"""The Bus port on the kernel: at-least-once delivery by push, with everything that makes it unpleasant.

A message is kept until each subscription of its topic has acknowledged it. Each delivery is an invocation of
its own that POSTs a push body, exactly as Pub/Sub writes it, and reads the status. These end an attempt
without an acknowledgement, each one counted: another status (429 when the function is full), a crash of the
function, and an answer that is not there when the subscription's deadline or the function's time-out has
passed. That last one is the trap: the late invocation goes on working while the message is on its way again,
and its answer counts no more.

After an attempt that failed the next one waits, twice as long each time, between the subscription's bounds;
after the last one the message becomes a dead letter. Order is not kept, not even for an ordering key, which
is only carried. A restart delivers again what the last process left unacknowledged, counting on. A disk that
refuses to note an attempt or its end is asked again every second or two: nothing is delivered that was not noted.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from infra.one_machine.kernel import Crashed, Invocation, Kernel
from infra.one_machine.queue import QueuedDelivery, QueuedMessage, SqliteQueue
from shared.codec import dumps
from shared.errors import InvariantBroken, NotSent, StoreDown
from shared.frozen import frozen
from shared.ports import Chance
from shared.topology import Function, Subscription, Topology

ACKNOWLEDGING = frozenset({102, 200, 201, 202, 204})
TRANSIT_S = (0.005, 0.05)
DUPLICATE_AFTER_S = (0.005, 5.0)
JITTER = (1.0, 1.25)
DISK_AGAIN_S = (1.0, 2.0)
PUSH_HEADERS = {"Content-Type": "application/json", "User-Agent": "CloudPubSub-Google"}
"""What Pub/Sub sends with a push body."""

Deliver = Callable[[str, bytes], int]
"""POSTs a push body to a function and gives the status."""


@frozen
class _Route:
    """One subscription of one function."""

    function: Function
    subscription: Subscription

    @property
    def name(self) -> str:
        return f"{self.function.name}.{self.subscription.topic}"

    @property
    def limit_s(self) -> int:
        return min(self.subscription.ack_deadline_s, self.function.timeout_s)


@dataclass(slots=True, kw_only=True, eq=False)
class _Owed:
    """A delivery under way: `answered` is the last attempt whose outcome is known."""

    route: _Route
    message: QueuedMessage
    attempts: int
    answered: int
    timer: Invocation | None = None


class LocalBus:
    """Delivers between a topology's functions; `duplicate_rate` is the share of messages sent once more.

    `transit` gives how long the messages of a topic travel, where that is not drawn.
    """

    def __init__(
        self,
        *,
        kernel: Kernel,
        topology: Topology,
        queue: SqliteQueue,
        deliver: Deliver,
        chance: Chance,
        duplicate_rate: float = 0.0,
        transit: Callable[[str], timedelta] | None = None,
    ) -> None:
        self._kernel = kernel
        self._queue = queue
        self._deliver = deliver
        self._chance = chance
        self._duplicate_rate = duplicate_rate
        self._transit = transit
        self._owed: dict[_Owed, None] = {}
        self._routes: dict[str, list[_Route]] = {topic: [] for topic in topology.topics}
        for function in topology.functions:
            for subscription in function.subscriptions:
                route = _Route(function=function, subscription=subscription)
                self._routes[subscription.topic].append(route)

    @property
    def pending(self) -> int:
        """Count the deliveries that are not yet acknowledged or given up."""
        return len(self._owed)

    def publish(self, topic: str, data: bytes, *, attributes: Mapping[str, str], ordering_key: str = "") -> str:
        """Publish one message and give its id; raises NotSent when the disk refuses."""
        routes = self._routes.get(topic)
        if routes is None:
            raise InvariantBroken(f"no such topic: {topic}")
        try:
            message = self._queue.add(
                topic=topic,
                data=data,
                attributes=attributes,
                ordering_key=ordering_key,
                published_at=self._kernel.now(),
                subscriptions=tuple(route.name for route in routes),
            )
        except StoreDown as down:
            raise NotSent(down.detail) from down
        for route in routes:
            owed = self._owe(route, message, 0)
            if self._duplicate_rate and self._chance.uniform(0, 1) < self._duplicate_rate:
                self._start(route, DUPLICATE_AFTER_S, partial(self._repeat, owed))
        return str(message.message_id)

    def resume(self) -> None:
        """Deliver again what an earlier process left unacknowledged."""
        routes = {route.name: route for routes in self._routes.values() for route in routes}
        for left in self._queue.pending():
            if left.subscription in routes:
                self._owe(routes[left.subscription], left.message, left.attempts)

    def dead_letters(self) -> list[QueuedDelivery]:
        """List the messages that were given up, in the order of publishing."""
        return self._queue.dead_letters()

    def _owe(self, route: _Route, message: QueuedMessage, attempts: int) -> _Owed:
        owed = _Owed(route=route, message=message, attempts=attempts, answered=attempts)
        self._owed[owed] = None
        travels = TRANSIT_S
        if self._transit is not None:
            travels = (self._transit(route.subscription.topic).total_seconds(),) * 2
        self._start(route, travels, partial(self._attempt, owed))
        return owed

    def _start(self, route: _Route, after_s: tuple[float, float], work: Callable[[], None]) -> None:
        at = self._kernel.now() + timedelta(seconds=self._chance.uniform(*after_s))
        self._kernel.spawn(work, at=at, name=route.function.name)

    def _attempt(self, owed: _Owed) -> None:
        if owed.attempts >= owed.route.subscription.max_attempts:
            self._fail(owed)
            return
        attempt = owed.attempts + 1
        note = partial(self._queue.attempted, owed.route.name, owed.message.message_id, attempt)
        if not self._noted(owed, note, again=partial(self._attempt, owed)):
            return
        owed.attempts = attempt
        overdue = self._kernel.now() + timedelta(seconds=owed.route.limit_s)
        owed.timer = self._kernel.spawn(partial(self._settle, owed, attempt, 504), at=overdue, name="bus")
        try:
            status = self._post(owed, attempt)
        except Crashed:
            self._settle(owed, attempt, 503)
            raise
        self._settle(owed, attempt, status)

    def _post(self, owed: _Owed, attempt: int) -> int:
        return self._deliver(owed.route.function.name, push_body(owed.route.name, owed.message, attempt))

    def _repeat(self, owed: _Owed) -> None:
        """Deliver once more than needed; nobody reads the answer."""
        self._post(owed, 1)

    def _settle(self, owed: _Owed, attempt: int, status: int) -> None:
        if owed.answered >= attempt:
            return
        owed.answered = attempt
        if owed.timer is not None:
            self._kernel.cancel(owed.timer)
        if status in ACKNOWLEDGING:
            self._end(owed, partial(self._queue.acknowledged, owed.route.name, owed.message.message_id))
        else:
            self._fail(owed)

    def _end(self, owed: _Owed, note: Callable[[], None]) -> None:
        if self._noted(owed, note, again=partial(self._end, owed, note)):
            del self._owed[owed]

    def _noted(self, owed: _Owed, note: Callable[[], None], *, again: Callable[[], None]) -> bool:
        """Write something down; false when the disk refused and `again` will be called."""
        try:
            note()
        except StoreDown:
            self._start(owed.route, DISK_AGAIN_S, again)
            return False
        return True

    def _fail(self, owed: _Owed) -> None:
        subscription = owed.route.subscription
        if owed.attempts >= subscription.max_attempts:
            self._end(owed, partial(self._queue.bury, owed.route.name, owed.message.message_id, owed.attempts))
            return
        wait_s = subscription.min_backoff_s * 2 ** (owed.attempts - 1)
        bounds = [min(float(subscription.max_backoff_s), wait_s * jitter) for jitter in JITTER]
        self._start(owed.route, (bounds[0], bounds[1]), partial(self._attempt, owed))


def push_body(subscription: str, message: QueuedMessage, attempt: int) -> bytes:
    """Write the body of a push request as Pub/Sub does; an empty ordering key is left out, as there."""
    published = _instant(message.published_at)
    content: dict[str, object] = {
        "data": base64.b64encode(message.data).decode(),
        "attributes": dict(message.attributes),
        "messageId": str(message.message_id),
        "message_id": str(message.message_id),
        "publishTime": published,
        "publish_time": published,
    }
    if message.ordering_key:
        content["orderingKey"] = message.ordering_key
    name = f"projects/local/subscriptions/{subscription}"
    return dumps({"subscription": name, "deliveryAttempt": attempt, "message": content})


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
