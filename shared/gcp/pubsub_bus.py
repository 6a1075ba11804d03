"""The Bus port on Pub/Sub.

What can go wrong: the answer to a publish is lost, so that the message may be on its way; the topic is away. What this
promises: an id only for a message that was taken; NotSent when it surely was not, StoreDown when nobody knows, so that
the outbox row stays and is published again (a message may come twice, order-safety.md 1.4, C12 and C13).

Each message is one call of the library's generated client, and the call is waited for. The library's batching thread
is left out on purpose: it publishes after its caller gave up, takes attributes as keyword arguments, where one called
`data` breaks the call, and holds back an ordering key after a failure until somebody resumes it. Here nothing is held
back: an ordering key orders what was published one after the other, and the next publish is simply the next call.
"""

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from google.api_core import exceptions as google
from google.auth.exceptions import DefaultCredentialsError

from shared.errors import ConfigError, InvariantBroken, NotSent
from shared.gcp.calls import FAILED, down, repeat
from shared.ports import Chance, Clock

if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import PublisherClient

PUBLISH_S = 3.0

_NOT_TAKEN = (
    google.NotFound, google.PermissionDenied, google.Unauthenticated, google.FailedPrecondition,
    google.ResourceExhausted, google.Aborted,
)  # fmt: skip


class PubsubBus:
    """Publishes to a project's topics, safe to share between threads; loads the library at the first message."""

    def __init__(self, *, project: str, clock: Clock, chance: Chance) -> None:
        self._project = project
        self._clock = clock
        self._chance = chance
        self._lock = threading.Lock()
        self._client: PublisherClient | None = None

    def publish(self, topic: str, data: bytes, *, attributes: Mapping[str, str], ordering_key: str = "") -> str:
        """Publish one message and give its id."""
        client = self._publisher()
        try:
            return repeat(
                lambda: self._send(client, topic, data, attributes, ordering_key),
                clock=self._clock,
                chance=self._chance,
            )
        except google.InvalidArgument as problem:
            raise InvariantBroken(f"{topic}: Pub/Sub does not take a message of {len(data)} bytes") from problem
        except _NOT_TAKEN as problem:
            raise NotSent(f"Pub/Sub, {topic}: {type(problem).__name__}") from problem
        except FAILED as problem:
            raise down(f"Pub/Sub, {topic}", problem) from problem

    def close(self) -> None:
        """Let go of the connection; the next message makes a new one."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.transport.close()

    def _send(
        self, client: "PublisherClient", topic: str, data: bytes, attributes: Mapping[str, str], ordering_key: str
    ) -> str:
        from google.pubsub_v1 import PublisherClient as Generated
        from google.pubsub_v1.types import PublishRequest, PubsubMessage

        message = PubsubMessage(data=data, attributes=attributes, ordering_key=ordering_key)
        request = PublishRequest(topic=f"projects/{self._project}/topics/{topic}", messages=[message])
        # The generated method, not the batching one that hides it.
        answer = Generated.publish(client, request=request, retry=None, timeout=PUBLISH_S)
        return str(answer.message_ids[0])

    def _publisher(self) -> "PublisherClient":
        with self._lock:
            if self._client is None:
                from google.cloud.pubsub_v1 import PublisherClient

                try:
                    self._client = PublisherClient()
                except DefaultCredentialsError as problem:
                    raise ConfigError(("no Google login was found for Pub/Sub",)) from problem
            return self._client
