"""The Vault port on Secret Manager.

What can go wrong: a version is stored and the answer is lost, so that a second try would leave a secret twice; bytes
change on their way; `latest` names the highest number whatever its state, so that a disabled version hides every older
one. What this promises: a version is added once, its checksum travels both ways (CRC-32C; Google refuses a payload that
does not fit), and versions are read by number alone. Where the function may add and not look, a lost answer may leave a
version twice; then nothing points at the first, and who may destroy it has to. A secret itself is made by provisioning,
never here.
"""

import threading
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, TypeVar

from google.api_core import exceptions as google
from google.auth.exceptions import DefaultCredentialsError

from shared.errors import ConfigError, InvariantBroken, StoreDown
from shared.gcp.calls import FAILED, PASSING, READ_TRIES, down, pause, repeat
from shared.gcp.crc32c import crc32c
from shared.ports import Chance, Clock

if TYPE_CHECKING:
    from google.cloud.secretmanager_v1 import SecretManagerServiceClient

T = TypeVar("T")

CALL_S = 5.0
MAX_SECRET_BYTES = 65_536


def _google() -> "SecretManagerServiceClient":
    from google.cloud.secretmanager_v1 import SecretManagerServiceClient  # late: many a message reads no secret

    return SecretManagerServiceClient()


class SecretVault:
    """A project's secrets, safe to share between threads; loads the library and connects at the first use.

    Of the secrets in `adds_only` no version is ever listed or read. `connect` gives the client; without it the library
    finds Google and a login by itself.
    """

    def __init__(
        self,
        *,
        project: str,
        clock: Clock,
        chance: Chance,
        adds_only: Collection[str] = (),
        connect: Callable[[], "SecretManagerServiceClient"] = _google,
    ) -> None:
        self._project = project
        self._clock = clock
        self._chance = chance
        self._adds_only = adds_only
        self._connect = connect
        self._lock = threading.Lock()
        self._client: SecretManagerServiceClient | None = None

    def add(self, secret: str, value: bytes) -> str:
        """Store a new version and give its number; raises StoreDown when it stays open whether it is stored.

        After a lost answer the versions that are newer than before are read, where that is allowed: one with these
        bytes is the one.
        """
        if len(value) > MAX_SECRET_BYTES:
            raise InvariantBroken(f"{secret}: {len(value)} bytes; a version holds {MAX_SECRET_BYTES} at most")
        looks = secret not in self._adds_only
        before = max((int(number) for number, _ in self._listed(secret)), default=0) if looks else 0
        payload = {"data": value, "data_crc32c": crc32c(value)}
        request = {"parent": self._name(secret), "payload": payload}
        last: Exception | None = None
        for attempt in range(1, READ_TRIES + 1):
            try:
                return _number(self._api().add_secret_version(request=request, retry=None, timeout=CALL_S).name)
            except PASSING as problem:
                last = problem
            except FAILED as problem:
                raise down(f"Secret Manager, {secret}", problem) from problem
            pause(self._clock, self._chance, attempt)
            if looks and (stored := self._found(secret, value, after=before)) is not None:
                return stored
        raise down(f"Secret Manager, {secret}, version open", last) from last

    def read(self, secret: str, version: str) -> bytes:
        """Read one version; raises StoreDown, or KeyError when it is missing, disabled or destroyed."""
        request = {"name": self._version(secret, version)}
        for _ in range(2):
            payload = self._call(
                secret,
                version,
                lambda: self._api().access_secret_version(request=request, retry=None, timeout=CALL_S).payload,
            )
            if payload.data_crc32c == crc32c(payload.data):
                return bytes(payload.data)
        raise StoreDown(f"Secret Manager, {secret}: version {version} does not fit its checksum")

    def versions(self, secret: str) -> tuple[str, ...]:
        """List the enabled versions, oldest first; raises StoreDown."""
        enabled = [int(number) for number, state in self._listed(secret) if state == "ENABLED"]
        return tuple(str(number) for number in sorted(enabled))

    def destroy(self, secret: str, version: str) -> None:
        """Disable a version, then destroy it for ever; twice is no error, one that never was a KeyError."""
        request = {"name": self._version(secret, version)}
        try:
            self._call(
                secret,
                version,
                lambda: self._api().disable_secret_version(request=request, retry=None, timeout=CALL_S),
                missing=(google.NotFound,),
            )
            self._call(
                secret,
                version,
                lambda: self._api().destroy_secret_version(request=request, retry=None, timeout=CALL_S),
                missing=(google.NotFound,),
            )
        except google.FailedPrecondition:
            return  # it is destroyed already, the one state that refuses both

    def close(self) -> None:
        """Let go of the connection; the next use makes a new one."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.transport.close()  # type: ignore[no-untyped-call]

    def _listed(self, secret: str) -> list[tuple[str, str]]:
        """List every version, whatever its state: number and state; none when there is no such secret."""
        request = {"parent": self._name(secret), "page_size": 1_000}

        def read() -> list[tuple[str, str]]:
            found = self._api().list_secret_versions(request=request, retry=None, timeout=CALL_S)
            return [(_number(one.name), one.state.name) for one in found]

        try:
            return repeat(read, clock=self._clock, chance=self._chance)
        except google.NotFound:
            return []
        except FAILED as problem:
            raise down(f"Secret Manager, {secret}", problem) from problem

    def _found(self, secret: str, value: bytes, *, after: int) -> str | None:
        for number in self.versions(secret):
            try:
                if int(number) > after and self.read(secret, number) == value:
                    return number
            except KeyError:
                continue
        return None

    def _call(
        self,
        secret: str,
        version: str,
        call: Callable[[], T],
        *,
        missing: tuple[type[google.GoogleAPICallError], ...] = (google.NotFound, google.FailedPrecondition),
    ) -> T:
        """Make a call about one version that may be made twice; a FailedPrecondition not in `missing` escapes."""
        try:
            return repeat(call, clock=self._clock, chance=self._chance)
        except missing:
            raise KeyError(version) from None
        except google.FailedPrecondition:
            raise
        except FAILED as problem:
            raise down(f"Secret Manager, {secret}", problem) from problem

    def _name(self, secret: str) -> str:
        return f"projects/{self._project}/secrets/{secret}"

    def _version(self, secret: str, version: str) -> str:
        if not (version.isascii() and version.isdigit()):
            raise KeyError(version)  # a name such as `latest` is never asked for
        return f"{self._name(secret)}/versions/{version}"

    def _api(self) -> "SecretManagerServiceClient":
        with self._lock:
            if self._client is None:
                try:
                    self._client = self._connect()
                except DefaultCredentialsError as problem:
                    raise ConfigError(("no Google login was found for Secret Manager",)) from problem
            return self._client


def _number(name: str) -> str:
    return name.rpartition("/")[2]
