"""What the tests of the sources share: one certificate for all stand-ins."""

from pathlib import Path

import pytest

from tests import certificates
from tests.sources.yahoo_standing import HOSTS


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a certificate of loopback and of Yahoo's names."""
    return certificates.certificate(tmp_path_factory.mktemp("tls"), *HOSTS)
