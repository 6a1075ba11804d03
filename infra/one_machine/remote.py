"""The Bus and the Vault of a function that runs in a process of its own: both live in the one-machine cloud's."""

from collections.abc import Mapping
from typing import Any

from infra.one_machine.wire import Services, Unheard, content, text
from shared.errors import InvariantBroken, NotSent, StoreDown


class RemoteBus:
    """Publishes through the services; a lost answer is NotSent, so that a message may be published twice."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def publish(self, topic: str, data: bytes, *, attributes: Mapping[str, str], ordering_key: str = "") -> str:
        """Publish one message and give its id; raises NotSent."""
        try:
            status, answer = self._services.ask(
                "/publish", topic=topic, data=text(data), attributes=dict(attributes), ordering_key=ordering_key
            )
        except Unheard as lost:
            raise NotSent(f"the bus was not heard: {lost}") from None
        match status:
            case 200:
                return str(answer)
            case 503:
                raise NotSent(str(answer))
            case _:
                raise InvariantBroken(f"the bus refused a message: {answer}")


class RemoteVault:
    """Reads and changes secrets through the services, which alone hold the vault's key."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def add(self, secret: str, value: bytes) -> str:
        """Store a new version and give its number; raises StoreDown when it stays open whether it is stored."""
        return str(self._ask("/vault/add", secret=secret, value=text(value)))

    def read(self, secret: str, version: str) -> bytes:
        """Read one version; raises KeyError when it is missing or destroyed, else StoreDown."""
        return content(self._ask("/vault/read", secret=secret, version=version))

    def versions(self, secret: str) -> tuple[str, ...]:
        """List the usable versions, oldest first; raises StoreDown."""
        return tuple(self._ask("/vault/versions", secret=secret))

    def destroy(self, secret: str, version: str) -> None:
        """Make one version unreadable for ever; raises KeyError when it never was, else StoreDown."""
        self._ask("/vault/destroy", secret=secret, version=version)

    def _ask(self, path: str, **question: str) -> Any:
        try:
            status, answer = self._services.ask(path, **question)
        except Unheard as lost:
            raise StoreDown(f"the vault was not heard: {lost}") from None
        match status:
            case 200:
                return answer
            case 404:
                raise KeyError(question.get("version", ""))
            case 503:
                raise StoreDown(str(answer))
            case _:
                raise InvariantBroken(f"the vault refused: {answer}")
