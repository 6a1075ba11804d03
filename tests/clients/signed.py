"""Signs what another client signed, with etrade-python's own code: `python -m tests.clients.signed`.

It reads and writes JSON. Each request comes with every OAuth parameter but the signature, so the same text must come
out.
"""

import json
import sys

import httpx
from etrade_python import ETradeSettings
from etrade_python.auth.oauth import OAuthClient
from pydantic import SecretStr


def main() -> None:
    """Write one signature for each request that is read."""
    given = json.load(sys.stdin)
    client = OAuthClient(ETradeSettings(consumer_key=given["key"], consumer_secret=given["secret"]))
    found = [
        client._signature(
            one["method"], httpx.URL(one["url"]), one["parameters"], token_secret=SecretStr(given["token_secret"])
        )
        for one in given["requests"]
    ]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
