"""Secret Manager on loopback: it refuses what Google refuses."""

from collections.abc import Iterator

import pytest
from google.api_core import exceptions as google
from google.cloud.secretmanager_v1 import SecretManagerServiceClient, types

from infra.one_machine.secret_manager import SecretManagerFake
from shared.gcp.crc32c import crc32c

PARENT = "projects/my-desk/secrets/access"


@pytest.fixture
def client() -> Iterator[SecretManagerServiceClient]:
    """Give the real library's client of a server with one secret, which has two versions."""
    with SecretManagerFake() as server, server.connect() as client:
        client.create_secret(parent="projects/my-desk", secret_id="access", secret=types.Secret())
        for value in (b"first", b"second"):
            client.add_secret_version(parent=PARENT, payload=types.SecretPayload(data=value))
        yield client


def test_latest_is_the_highest_number_whatever_its_state(client: SecretManagerServiceClient) -> None:
    """A disabled or destroyed newest version hides the older ones from those who ask for the latest."""
    assert client.access_secret_version(name=f"{PARENT}/versions/latest").payload.data == b"second"
    client.disable_secret_version(name=f"{PARENT}/versions/2")
    with pytest.raises(google.FailedPrecondition):
        client.access_secret_version(name=f"{PARENT}/versions/latest")
    client.destroy_secret_version(name=f"{PARENT}/versions/2")
    assert client.get_secret_version(name=f"{PARENT}/versions/latest").state == types.SecretVersion.State.DESTROYED
    assert client.access_secret_version(name=f"{PARENT}/versions/1").payload.data == b"first"


def test_a_destroyed_version_changes_no_more(client: SecretManagerServiceClient) -> None:
    """A destroyed version can be neither enabled nor disabled nor destroyed."""
    name = f"{PARENT}/versions/1"
    client.destroy_secret_version(name=name)
    for change in (client.enable_secret_version, client.disable_secret_version, client.destroy_secret_version):
        with pytest.raises(google.FailedPrecondition):
            change(name=name)


def test_what_google_refuses_is_refused(client: SecretManagerServiceClient) -> None:
    """A wrong checksum, a payload beyond 64 KiB, a second secret of one name and unknown names are refused."""
    for payload in (types.SecretPayload(data=b"x", data_crc32c=1), types.SecretPayload(data=bytes(65_537))):
        with pytest.raises(google.InvalidArgument):
            client.add_secret_version(parent=PARENT, payload=payload)
    with pytest.raises(google.AlreadyExists):
        client.create_secret(parent="projects/my-desk", secret_id="access", secret=types.Secret())
    for name in (f"{PARENT}/versions/9", f"{PARENT}/versions/x", "projects/my-desk/secrets/none/versions/1"):
        with pytest.raises(google.NotFound):
            client.access_secret_version(name=name)
    with pytest.raises(google.NotFound):
        client.get_secret(name="projects/my-desk/secrets/none")
    assert client.get_secret(name=PARENT).name == PARENT


def test_the_checksum_comes_back(client: SecretManagerServiceClient) -> None:
    """An accessed version carries the CRC-32C of its bytes."""
    payload = client.access_secret_version(name=f"{PARENT}/versions/1").payload
    assert payload.data_crc32c == crc32c(b"first")
    assert client.add_secret_version(parent=PARENT, payload=payload).name == f"{PARENT}/versions/3"
