"""Which distribution an import comes from, and whether a function's lock holds it."""

import re
import sys

# The runtime of the cloud is Python 3.13: what an older interpreter still has is not there (PEP 594; What's New).
_GONE_BY_3_13 = frozenset({
    "aifc", "asynchat", "asyncore", "audioop", "cgi", "cgitb", "chunk", "crypt", "distutils", "imghdr", "imp",
    "lib2to3", "mailcap", "msilib", "nis", "nntplib", "ossaudiodev", "pipes", "smtpd", "sndhdr", "spwd", "sunau",
    "telnetlib", "uu", "xdrlib",
})  # fmt: skip
STANDARD_LIBRARY = frozenset(sys.stdlib_module_names) - _GONE_BY_3_13

# Import path -> distribution, where they differ by more than a dash; tests/packaging checks it against what is
# installed. `google` is shared by many distributions: each of its packages needs its line.
DISTRIBUTIONS = {
    "alpaca": "alpaca-py",
    "google.api_core": "google-api-core",
    "google.auth": "google-auth",
    "google.cloud.firestore": "google-cloud-firestore",
    "google.cloud.firestore_v1": "google-cloud-firestore",
    "google.cloud.pubsub": "google-cloud-pubsub",
    "google.cloud.pubsub_v1": "google-cloud-pubsub",
    "google.cloud.secretmanager": "google-cloud-secret-manager",
    "google.cloud.secretmanager_v1": "google-cloud-secret-manager",
    "google.oauth2": "google-auth",
    "google.protobuf": "protobuf",
    "google.pubsub": "google-cloud-pubsub",
    "google.pubsub_v1": "google-cloud-pubsub",
    "google.rpc": "googleapis-common-protos",
    "google.type": "googleapis-common-protos",
    "grpc": "grpcio",
    "proto": "proto-plus",
    "talib": "ta-lib",
}
_SHARED_BY_MANY = frozenset({"google"})
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==", re.MULTILINE)


def distribution(dotted: str) -> str | None:
    """Return the distribution that an import path belongs to; None when only the table could tell and does not."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        known = DISTRIBUTIONS.get(".".join(parts[:length]))
        if known is not None:
            return known
    return None if parts[0] in _SHARED_BY_MANY else _canonical(parts[0])


def locked(lock: str) -> frozenset[str]:
    """Return the distributions that a lock pins."""
    return frozenset(map(_canonical, _PIN.findall(lock)))


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
