"""The databases of a stack, one for each trust domain, over one connection."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from shared.gcp.firestore_store import Connection, FirestoreStore
from shared.ports import Chance, Clock
from shared.stored import Domain, database


class Databases:
    """Gives a store for each of these domains; connects at the first use. `prefix` begins the databases' names."""

    def __init__(
        self,
        *,
        project: str,
        prefix: str,
        clock: Clock,
        chance: Chance,
        domains: Iterable[Domain] = tuple(Domain),
        lifetimes: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._connection = Connection(project)
        self.stores = {
            domain: FirestoreStore(
                connection=self._connection, database=database(prefix, domain), clock=clock, chance=chance,
                lifetimes=lifetimes,
            )
            for domain in domains
        }  # fmt: skip

    def close(self) -> None:
        """Let go of the connection; the next use makes a new one."""
        self._connection.close()
