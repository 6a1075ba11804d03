"""A Store over the databases of the trust domains: each document in its domain, no commit over two of them.

What can go wrong: a commit that spans two databases is no commit. Firestore's emulator accepts one and loses the half
that lies in the other database; Google's own answer has not been seen. What this promises, in every world: such a
commit is refused before anything is sent. It is our bug: InvariantBroken. The topology says where a document lies;
a query of a collection that lies in several domains (outbox, dead letters) asks the homes of whoever asks.
"""

from collections.abc import Mapping, Sequence

from shared import documents
from shared.errors import InvariantBroken
from shared.ports import Document, Store, Where, Write
from shared.stored import Domain
from shared.topology import Function, Topology


class DividedStore:
    """The Store port over one store for each domain; `homes` are those whose outbox and dead letters are meant.

    One store may stand for several domains: then a query still gives the documents of the domains asked for alone.
    """

    def __init__(self, stores: Mapping[Domain, Store], topology: Topology, *, homes: Sequence[Domain]) -> None:
        self._stores = stores
        self._topology = topology
        self._homes = homes

    def get(self, path: str) -> Document | None:
        """Read one document, or None; raises StoreDown."""
        return self._store(self._domain(path)).get(path)

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Apply all writes or none and give the new versions; raises InvariantBroken for writes in two domains."""
        domains = {self._domain(write.path) for write in writes}
        if len(domains) > 1:
            paths = ", ".join(write.path for write in writes)
            raise InvariantBroken(f"a commit spans {' and '.join(sorted(domains))}: {paths[:200]}")
        return self._store(domains.pop()).commit(writes) if domains else ()

    def query(
        self, collection: str, *where: Where, order_by: str | None = None, limit: int | None = None
    ) -> list[Document]:
        """Read the matching documents, by `order_by` ascending, else by path; raises StoreDown."""
        domain = self._declared(collection)
        if domain is not None:
            return self._store(domain).query(collection, *where, order_by=order_by, limit=limit)
        found: dict[str, Document] = {}
        for home in self._homes:
            asked = self._store(home).query(collection, *where)
            found |= {one.path: one for one in asked if self._domain(one.path) is home}
        return documents.select((found[path] for path in sorted(found)), where, order_by, limit)

    def _store(self, domain: Domain) -> Store:
        if domain not in self._stores:
            raise InvariantBroken(f"no store of the domain {domain} is at hand")
        return self._stores[domain]

    def _domain(self, path: str) -> Domain:
        self._declared(path.partition("/")[0])
        return self._topology.domain_of(path)

    def _declared(self, collection: str) -> Domain | None:
        if collection not in self._topology.collections:
            raise InvariantBroken(f"the topology has no collection {collection[:80]!r}")
        return self._topology.collections[collection].domain


def of_function(stores: Mapping[Domain, Store], topology: Topology, function: Function) -> DividedStore:
    """Give a function its store; its outbox and its dead letters are those of its home."""
    return DividedStore(stores, topology, homes=(function.home,))


def of_owner(stores: Mapping[Domain, Store], topology: Topology) -> DividedStore:
    """Give the owner a store over everything."""
    return DividedStore(stores, topology, homes=topology.homes())


def one_for_all(store: Store) -> Mapping[Domain, Store]:
    """Let one store stand for every domain: a file on one machine, whose user may read and write all of it anyway."""
    return dict.fromkeys(Domain, store)
