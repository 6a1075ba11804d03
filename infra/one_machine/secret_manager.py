"""Secret Manager v1 on loopback: a real gRPC server that the real client library talks to, with its secrets in memory.

Google has no emulator of it. What it does as Google does (google-cloud.md 4): numbers count from 1 and are never given
again; `latest` is the highest number whatever its state; a version that is disabled or destroyed cannot be accessed
(FAILED_PRECONDITION), nor can a destroyed one change its state; a wrong CRC-32C or more than 64 KiB is refused; lists
come newest first, in pages. What it leaves out: etags, aliases, rotation, replication, rights, and deletion of secrets.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import grpc
from google.cloud.secretmanager_v1 import SecretManagerServiceClient, types
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import SecretManagerServiceGrpcTransport

from infra.one_machine.loopback import LOOPBACK

SERVICE = "google.cloud.secretmanager.v1.SecretManagerService"
MAX_SECRET_BYTES = 65_536
_STATE = types.SecretVersion.State
_CASTAGNOLI = 0x82F63B78


@dataclass(slots=True)
class _Version:
    """One version: its number, its bytes until it is destroyed, and its state."""

    number: int
    data: bytes
    state: Any = _STATE.ENABLED


@dataclass(slots=True)
class _Secret:
    """One secret with its versions, oldest first."""

    versions: list[_Version] = field(default_factory=list)


class SecretManagerFake:
    """Serves on a free port of loopback while it is entered; safe to call from any number of threads."""

    def __init__(self) -> None:
        self._secrets: dict[str, _Secret] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="secret-manager")
        self._server = grpc.server(self._pool)
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, self._handlers()),))
        self._port: int = self._server.add_insecure_port(f"{LOOPBACK}:0")

    @property
    def address(self) -> str:
        """Where it listens: host and port."""
        return f"{LOOPBACK}:{self._port}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop(None).wait()
        self._pool.shutdown()

    def create(self, project: str, *secrets: str) -> None:
        """Make secrets without versions, as provisioning does."""
        with self._lock:
            for secret in secrets:
                self._secrets.setdefault(f"projects/{project}/secrets/{secret}", _Secret())

    def connect(self) -> SecretManagerServiceClient:
        """Give a client of the real library that talks to this server."""
        return connect(self.address)

    def _handlers(self) -> dict[str, Any]:
        methods: dict[str, tuple[Any, Callable[[Any, Any], Any]]] = {
            "CreateSecret": (types.CreateSecretRequest, self._create_secret),
            "GetSecret": (types.GetSecretRequest, self._get_secret),
            "AddSecretVersion": (types.AddSecretVersionRequest, self._add_version),
            "AccessSecretVersion": (types.AccessSecretVersionRequest, self._access_version),
            "GetSecretVersion": (types.GetSecretVersionRequest, self._get_version),
            "ListSecretVersions": (types.ListSecretVersionsRequest, self._list_versions),
            "EnableSecretVersion": (types.EnableSecretVersionRequest, self._change_to(_STATE.ENABLED)),
            "DisableSecretVersion": (types.DisableSecretVersionRequest, self._change_to(_STATE.DISABLED)),
            "DestroySecretVersion": (types.DestroySecretVersionRequest, self._change_to(_STATE.DESTROYED)),
        }
        return {name: self._handler(request, method) for name, (request, method) in methods.items()}

    def _handler(self, request_type: Any, method: Callable[[Any, Any], Any]) -> Any:
        def serve(request: Any, context: Any) -> Any:
            with self._lock:
                return method(request, context)

        return grpc.unary_unary_rpc_method_handler(
            serve,
            request_deserializer=request_type.deserialize,
            response_serializer=lambda answer: type(answer).serialize(answer),
        )

    def _create_secret(self, request: Any, context: Any) -> Any:
        name = f"{request.parent}/secrets/{request.secret_id}"
        if name in self._secrets:
            context.abort(grpc.StatusCode.ALREADY_EXISTS, f"Secret [{name}] already exists.")
        self._secrets[name] = _Secret()
        return types.Secret(name=name)

    def _get_secret(self, request: Any, context: Any) -> Any:
        self._secret(request.name, context)
        return types.Secret(name=request.name)

    def _add_version(self, request: Any, context: Any) -> Any:
        secret = self._secret(request.parent, context)
        data, sum_given = bytes(request.payload.data), "data_crc32c" in request.payload
        if len(data) > MAX_SECRET_BYTES:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "The payload is larger than 64 KiB.")
        if sum_given and request.payload.data_crc32c != _checksum(data):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "The checksum does not fit the payload.")
        version = _Version(len(secret.versions) + 1, data)
        secret.versions.append(version)
        return _plain(request.parent, version)

    def _access_version(self, request: Any, context: Any) -> Any:
        secret, version = self._version(request.name, context)
        if version.state != _STATE.ENABLED:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"[{request.name}] is in {version.state.name} state.")
        payload = types.SecretPayload(data=version.data, data_crc32c=_checksum(version.data))
        return types.AccessSecretVersionResponse(name=f"{secret}/versions/{version.number}", payload=payload)

    def _get_version(self, request: Any, context: Any) -> Any:
        return _plain(*self._version(request.name, context))

    def _list_versions(self, request: Any, context: Any) -> Any:
        versions = self._secret(request.parent, context).versions[::-1]
        start = int(request.page_token or 0)
        end = start + min(request.page_size or 100, 1_000)
        return types.ListSecretVersionsResponse(
            versions=[_plain(request.parent, one) for one in versions[start:end]],
            total_size=len(versions),
            next_page_token=str(end) if end < len(versions) else "",
        )

    def _change_to(self, state: Any) -> Callable[[Any, Any], Any]:
        def change(request: Any, context: Any) -> Any:
            secret, version = self._version(request.name, context)
            if version.state == _STATE.DESTROYED:
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"[{request.name}] is in DESTROYED state.")
            version.state = state
            if state == _STATE.DESTROYED:
                version.data = b""
            return _plain(secret, version)

        return change

    def _secret(self, name: str, context: Any) -> _Secret:
        if name not in self._secrets:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Secret [{name}] not found.")
        return self._secrets[name]

    def _version(self, name: str, context: Any) -> tuple[str, _Version]:
        secret, _, number = name.partition("/versions/")
        versions = self._secret(secret, context).versions
        place = len(versions) if number == "latest" else int(number) if number.isdigit() else 0
        if not 0 < place <= len(versions):
            context.abort(grpc.StatusCode.NOT_FOUND, f"Secret Version [{name}] not found.")
        return secret, versions[place - 1]


def connect(address: str) -> SecretManagerServiceClient:
    """Give a client of the real library for a server without TLS; what the library itself has no switch for."""
    channel = grpc.insecure_channel(address)
    return SecretManagerServiceClient(transport=SecretManagerServiceGrpcTransport(channel=channel))


def _plain(secret: str, version: _Version) -> Any:
    return types.SecretVersion(name=f"{secret}/versions/{version.number}", state=version.state)


def _checksum(data: bytes) -> int:
    """Give the CRC-32C bit by bit: its own words, so that it does not share a mistake of the client."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (_CASTAGNOLI if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
