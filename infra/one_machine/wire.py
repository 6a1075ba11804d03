"""How a function's process speaks with the one-machine cloud: one JSON exchange on loopback, with its own key.

What the services answer: 200 with the answer; 403 for a key that is none, and for what the key's holder has no right
to; 404 for a version that is not there; 409 for what can never succeed, a bug; 503 for what may succeed later. Nothing
else, and never a word of a secret in a refusal.
"""

import base64
import http.client
from dataclasses import dataclass
from typing import Any

from shared.codec import dumps, loads
from shared.errors import Malformed

TIMEOUT_S = 10.0


class Unheard(Exception):
    """No whole answer came: perhaps it was done, perhaps not."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Services:
    """Where the services listen (host and port), and the key of one caller in this run."""

    address: str
    key: str

    def __repr__(self) -> str:
        return f"Services({self.address})"

    def ask(self, path: str, **question: object) -> tuple[int, Any]:
        """Ask once and give status and answer; raises Unheard."""
        connection = http.client.HTTPConnection(self.address, timeout=TIMEOUT_S)
        try:
            headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
            connection.request("POST", path, body=dumps(question), headers=headers)
            response = connection.getresponse()
            return response.status, loads(response.read())
        except (OSError, http.client.HTTPException, Malformed) as problem:
            raise Unheard(type(problem).__name__) from None
        finally:
            connection.close()


def text(value: bytes) -> str:
    """Write bytes as JSON can carry them."""
    return base64.b64encode(value).decode()


def content(written: str) -> bytes:
    """Read bytes back; raises ValueError."""
    return base64.b64decode(written, validate=True)
