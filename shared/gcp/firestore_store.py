"""The Store port on Firestore: atomic batches with preconditions, no transactions.

What can go wrong: somebody else writes first; the database is busy or away; the answer to a commit is lost, so that
nobody knows whether it was applied, and it may even be applied later. The last one is the hard one.

What this promises: Conflict only when nothing of the commit was applied; versions only when all of it was; StoreDown
when neither could be proved. How it is proved:

1. Each commit carries a nonce, which it leaves in every document that it writes. A commit is atomic: one document with
   its nonce proves all of it.
2. Creating a document and updating one at a version break their own precondition: a commit that holds one of them
   is applied once at most, however often it is sent. Such a commit is sent again after an open outcome, with the same
   nonce; whichever copy arrives later is refused. A refusal after an open outcome is read again: a document with the
   nonce means that an earlier copy was the one; an update's document that still has its old version means that none
   was, which is the Conflict; anything else stays open. (The one hole: a commit whose only precondition is a creation,
   undone by a deletion before the second copy. Of ours only outbox rows are deleted, and those bear a repetition.)
3. A commit of puts and deletions alone could undo what others wrote in between: it is not sent again. Its nonce proves
   it; deletions alone are proved by the documents' absence.

All documents of a commit get its commit time as their version, so one of them tells the version of all. Aborted and
ResourceExhausted are answers of a database that surely applied nothing; those tries are repeated in any case. A commit
begins no try later than 8 s after its first, so it ends within 16 s even when nothing answers at all.
"""

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from google.api_core import exceptions as google
from google.auth.exceptions import DefaultCredentialsError
from google.cloud import firestore
from google.cloud.firestore_v1 import types

from shared import documents
from shared.errors import ConfigError, Conflict, InvariantBroken, StoreDown
from shared.gcp.calls import FAILED, LONGEST_S, READ_TRIES, TRIES, down, pause, repeat
from shared.gcp.encoding import Names, from_stored, narrowed, nonce_of, to_write, version_of
from shared.ports import Chance, Check, Clock, Create, Delete, Document, Update, Where, Write

COMMIT_S = 5.0
READ_S = 3.0
QUERY_S = 10.0

_NOT_APPLIED = (google.Aborted, google.ResourceExhausted)
_PRECONDITION = (google.AlreadyExists, google.FailedPrecondition, google.NotFound)
_OUR_BUG = (google.InvalidArgument, google.OutOfRange)
_REFUSED = (google.PermissionDenied, google.Unauthenticated, google.MethodNotImplemented)


class Connection:
    """A project's connection to Firestore, which all its databases may share; made at the first use.

    A missing login raises ConfigError. The library alone decides where Firestore is.
    """

    def __init__(self, project: str) -> None:
        self.project = project
        self._lock = threading.Lock()
        self._client: firestore.Client | None = None

    def client(self) -> firestore.Client:
        """Give the library's client; the database that a call means stands in the call."""
        with self._lock:
            if self._client is None:
                try:
                    self._client = firestore.Client(project=self.project)
                except DefaultCredentialsError as problem:
                    raise ConfigError(("no Google login was found for Firestore",)) from problem
            return self._client

    def close(self) -> None:
        """Let go of it; the next use makes a new one."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()  # type: ignore[no-untyped-call]


class FirestoreStore:
    """Documents in one database, safe to share between threads; connects at the first use.

    `chance` must be unguessable: equal nonces of two processes would prove what is not so. `lifetimes` are the days
    after its last write that a document is kept, by collection; the others are kept for ever.
    """

    def __init__(
        self,
        *,
        connection: Connection,
        clock: Clock,
        chance: Chance,
        database: str = "(default)",
        lifetimes: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._chance = chance
        self._lifetimes = lifetimes
        self._names = Names(database=f"projects/{connection.project}/databases/{database}")
        self._metadata = [("google-cloud-resource-prefix", self._names.database)]

    def get(self, path: str) -> Document | None:
        """Read one document, or None; raises StoreDown."""
        documents.check_path(path)
        try:
            stored = self._read([path])[path]
        except FAILED as problem:
            raise down("Firestore", problem) from problem
        return None if stored is None else from_stored(self._names, stored)

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Apply all writes or none and give the new versions; raises Conflict, else StoreDown when it stays open."""
        documents.check_writes(writes)
        nonce = self._chance.token(20)
        batch = [to_write(self._names, write, nonce, expires_at=self._end(write.path)) for write in writes]
        if not batch:
            return ()
        last: Exception | None = None
        is_open = False
        latest = self._clock.now() + timedelta(seconds=LONGEST_S)
        for attempt in range(1, TRIES + 1):
            try:
                return _versions(writes, self._send(batch))
            except _PRECONDITION as refusal:
                return self._refused(writes, nonce, refusal, is_open=is_open)
            except _NOT_APPLIED as problem:
                last = problem
            except (*_OUR_BUG, *_REFUSED) as problem:
                if isinstance(problem, _OUR_BUG):
                    raise InvariantBroken(f"Firestore does not take the commit: {type(problem).__name__}") from problem
                raise down("Firestore", problem) from problem
            except FAILED as problem:
                last, is_open = problem, True
                if (versions := self._proof(writes, nonce)) is not None:
                    return versions
                if not any(isinstance(write, Create | Update) for write in writes):
                    break
            if attempt == TRIES or self._clock.now() >= latest:
                break
            pause(self._clock, self._chance, attempt)
        raise down("Firestore, commit open" if is_open else "Firestore, nothing committed", last) from last

    def query(
        self, collection: str, *where: Where, order_by: str | None = None, limit: int | None = None
    ) -> list[Document]:
        """Read the matching documents, by `order_by` ascending, else by path; raises StoreDown."""
        documents.check_query(collection, where, order_by, limit)
        asked = narrowed(collection, where)
        if limit and not where and order_by is None:
            asked.limit = limit

        def run() -> list[types.Document]:
            request = types.RunQueryRequest(parent=self._names.root, structured_query=asked)
            answers = self._api().run_query(request=request, retry=None, timeout=QUERY_S, metadata=self._metadata)
            return [answer.document for answer in answers if "document" in answer]

        try:
            found = repeat(run, clock=self._clock, chance=self._chance)
        except FAILED as problem:
            raise down("Firestore", problem) from problem
        by_path = sorted((from_stored(self._names, one) for one in found), key=lambda document: document.path)
        return documents.select(by_path, where, order_by, limit)

    def close(self) -> None:
        """Let go of the connection; the next use makes a new one."""
        self._connection.close()

    def _end(self, path: str) -> datetime | None:
        days = self._lifetimes.get(path.partition("/")[0])
        return None if days is None else self._clock.now() + timedelta(days=days)

    def _send(self, batch: Sequence[types.Write]) -> types.CommitResponse:
        request = types.CommitRequest(database=self._names.database, writes=batch)
        api = self._api()
        answer: types.CommitResponse = api.commit(
            request=request, retry=None, timeout=COMMIT_S, metadata=self._metadata
        )
        return answer

    def _read(self, paths: Sequence[str], *, tries: int = READ_TRIES) -> dict[str, types.Document | None]:
        """Read documents as they are at one instant; raises what the library raises."""

        def read() -> dict[str, types.Document | None]:
            names = [self._names.full(path) for path in paths]
            request = types.BatchGetDocumentsRequest(database=self._names.database, documents=names)
            answers = self._api().batch_get_documents(
                request=request, retry=None, timeout=READ_S, metadata=self._metadata
            )
            found: dict[str, types.Document | None] = dict.fromkeys(paths)
            for answer in answers:
                if "found" in answer:
                    found[self._names.path(answer.found.name)] = answer.found
            return found

        return repeat(read, clock=self._clock, chance=self._chance, tries=tries)

    def _refused(self, writes: Sequence[Write], nonce: str, refusal: Exception, *, is_open: bool) -> tuple[str, ...]:
        """Decide about a commit whose precondition failed, after tries that may have been applied."""
        if isinstance(refusal, google.NotFound) and not any(isinstance(one, Update | Check) for one in writes):
            raise down("Firestore, no such database", refusal) from refusal
        conflict = Conflict(f"somebody else wrote first: {', '.join(write.path for write in writes)[:200]}")
        if not is_open:
            raise conflict from refusal
        versions = self._proof(writes, nonce)
        if versions is not None:
            return versions
        if self._surely_not(writes):
            raise conflict from refusal
        raise StoreDown("Firestore: the commit is open: refused after an answer was lost") from refusal

    def _proof(self, writes: Sequence[Write], nonce: str) -> tuple[str, ...] | None:
        """Give the versions of a commit that was applied, None when that cannot be shown."""
        paths = [write.path for write in writes if not isinstance(write, Check)]
        try:
            held = self._read(paths, tries=1) if paths else {}
        except FAILED:
            return None
        for stored in held.values():
            if stored is not None and nonce_of(stored) == nonce:
                at = version_of(types.Document.pb(stored).update_time)
                return tuple(_version(write, at) for write in writes)
        only_deletions = bool(paths) and all(isinstance(write, Delete | Check) for write in writes)
        if only_deletions and not any(held.values()):
            return tuple(_version(write, "") for write in writes)
        return None

    def _surely_not(self, writes: Sequence[Write]) -> bool:
        """Tell whether a document that the commit would have changed is still at its old version."""
        expected = {write.path: write.version for write in writes if isinstance(write, Update)}
        try:
            held = self._read(list(expected), tries=1) if expected else {}
        except FAILED:
            return False
        return any(
            stored is not None and version_of(types.Document.pb(stored).update_time) == expected[path]
            for path, stored in held.items()
        )

    def _api(self) -> Any:
        # The client's own batches refuse an empty mask, and its commits are repeated for a minute: calls are made on
        # the generated client that it holds, which only it can build for an emulator and for Google alike.
        return self._connection.client()._firestore_api  # noqa: SLF001 - see above


def _versions(writes: Sequence[Write], answer: types.CommitResponse) -> tuple[str, ...]:
    results = types.CommitResponse.pb(answer).write_results
    return tuple(_version(write, version_of(result.update_time)) for write, result in zip(writes, results, strict=True))


def _version(write: Write, written: str) -> str:
    """Give the version after a write of a commit that wrote at one instant."""
    match write:
        case Check():
            return write.version
        case Delete():
            return ""
        case _:
            return written
