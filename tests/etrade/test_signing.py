"""The header that signs: the very bytes of oauthlib's, whatever the address and the keys."""

from base64 import b64encode
from typing import Literal
from urllib.parse import urlencode

from hypothesis import example, given
from hypothesis import strategies as st
from oauthlib.oauth1 import Client

from shared.etrade.session import PRODUCTION
from shared.etrade.signing import Signer

Method = Literal["GET", "POST", "PUT"]
WORDS = st.text(min_size=1, max_size=30)
TOKENS = st.binary(min_size=1, max_size=33).map(lambda raw: b64encode(raw).decode())
PATHS = st.text("abcXYZ0189-._~!$&'()*+,;=:@", min_size=1, max_size=40).map(lambda text: f"/v1/{text}.json")
QUERIES = st.lists(st.tuples(WORDS, st.one_of(st.just(""), WORDS)), max_size=5)
SIGNERS = st.builds(
    Signer, consumer_key=WORDS, consumer_secret=WORDS, token=st.one_of(st.just(""), TOKENS), token_secret=TOKENS,
    callback=st.sampled_from(["", "oob", "https://example.com/back?a=1"]), verifier=st.one_of(st.just(""), WORDS),
)  # fmt: skip


def theirs(signer: Signer, method: Method, url: str, *, nonce: str, timestamp: int) -> str:
    """Give the header that oauthlib makes."""
    client = Client(
        signer.consumer_key, client_secret=signer.consumer_secret, resource_owner_key=signer.token or None,
        resource_owner_secret=signer.token_secret or None, callback_uri=signer.callback or None,
        verifier=signer.verifier or None, nonce=nonce, timestamp=str(timestamp),
    )  # fmt: skip
    header: str = client.sign(url, method)[1]["Authorization"]
    return header


@given(
    signer=SIGNERS, method=st.sampled_from(["GET", "POST", "PUT"]), path=PATHS, query=QUERIES,
    nonce=st.text("abcXYZ0189", min_size=1, max_size=20), timestamp=st.integers(1, 2**33),
)  # fmt: skip
@example(
    signer=Signer(consumer_key="key", consumer_secret="a b", token="t+/=", token_secret="s+/="), method="GET",
    path="/v1/market/quote/BRK.B,%5ESPX.json", query=[("b", "2"), ("a", "ä & ~"), ("a", "")], nonce="n", timestamp=1,
)  # fmt: skip
def test_a_header_is_oauthlibs(
    *, signer: Signer, method: Method, path: str, query: list[tuple[str, str]], nonce: str, timestamp: int
) -> None:
    """Any signer's header over any address is to the byte the one that oauthlib makes."""
    url = f"{PRODUCTION}{path}" + (f"?{urlencode(query)}" if query else "")
    ours = signer.header(method, url, nonce=nonce, timestamp=timestamp)
    assert ours == theirs(signer, method, url, nonce=nonce, timestamp=timestamp)


def test_the_example_of_the_specification_is_signed_as_it_says() -> None:
    """The request for a photo in OAuth Core 1.0, appendix A.5, has the signature that stands there."""
    signer = Signer(
        consumer_key="dpf43f3p2l4k3l03", consumer_secret="kd94hf93k423kf44", token="nnch734d00sl2jdk",
        token_secret="pfkkdhi9sl3r4s00",
    )  # fmt: skip
    url = "http://photos.example.net/photos?file=vacation.jpg&size=original"
    said = signer.header("GET", url, nonce="kllo9940pd9333jh", timestamp=1191242096)
    assert 'oauth_signature="tR3%2BTy81lMeYAr%2FFid0kMTYa%2FWM%3D"' in said
