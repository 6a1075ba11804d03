"""The Bus port of a function that publishes nothing: it holds no client, and ships none."""

from collections.abc import Mapping

from shared.errors import InvariantBroken


class NoBus:
    """Takes no message: the topology gives the function no topic."""

    def publish(self, topic: str, data: bytes, *, attributes: Mapping[str, str], ordering_key: str = "") -> str:  # noqa: ARG002 - the port's
        """Refuse."""
        raise InvariantBroken(f"{topic}: this function has no bus, because the topology lets it publish nothing")
