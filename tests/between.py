"""What stands between the broker's client and a connection, and may change what is asked or said."""

from collections.abc import Mapping

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter


class Between(BaseAdapter):
    """Carries each request on to the connection behind it, which may be known only later; a fault carries otherwise."""

    def __init__(self, inner: BaseAdapter | None = None) -> None:
        super().__init__()
        self.inner = inner

    def carry(self, request: PreparedRequest) -> Response:
        """Carry one request and give its answer."""
        assert self.inner is not None
        return self.inner.send(request)

    def send(  # noqa: PLR0917 - the signature is requests'
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: object = None,
        verify: bool | str = True,
        cert: object = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        """Carry one request."""
        return self.carry(request)

    def close(self) -> None:
        """Nothing is held open."""
