"""The page at the root: what can be called, when it is in the market, and two examples that work when they are pasted.

It shows the consumer secret only where that was made up for this simulator: one that somebody gave may be a real one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from shlex import quote

from infra.brokersim.pages import page
from infra.brokersim.routes import TOLD
from infra.brokersim.settings import SimulatorSettings
from infra.brokersim.tape import NEW_YORK
from infra.brokersim.wire import Answer

GIVEN = "THE CONSUMER SECRET THAT YOU GAVE"
_SHOWN_SYMBOLS = 12
_STYLE = """
main { max-width: 60rem; margin: 0 auto; border-radius: 0; }
@media (min-width: 62rem) { main { margin: 2rem auto; border-radius: 12px; } }
h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.25rem; margin: 0; }
dl + p { margin-top: 1.25rem; }
dt { color: #5b6475; } dd { margin: 0; overflow-wrap: anywhere; }
code, pre { font: .84rem/1.5 ui-monospace, monospace; }
pre { margin: 0; padding: .9rem 1rem; border-radius: 8px; background: #f3f4f8; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
td { padding: .35rem .9rem .35rem 0; border-top: 1px solid #dfe3ea; vertical-align: top; overflow-wrap: anywhere; }
td:first-child { color: #5b6475; }
@media (max-width: 40rem) {
  dl, dd, dt, tr, td { display: block; width: auto; } dd { margin-bottom: .5rem; }
  td { border: 0; padding: 0; } td:nth-child(-n+2) { display: inline; margin-right: .4rem; }
  tr { border-top: 1px solid #dfe3ea; padding: .45rem 0; }
}
@media (prefers-color-scheme: dark) {
  pre { background: #14171d; } dt, td:first-child { color: #a3acbd; } tr, td { border-color: #363d4a; }
}
"""
_NOT_FOR_PROGRAMS = """
<p>It serves the running system alone, and takes only calls that are signed with that system's time.
<code>strategy brokersim</code> runs one for programs of yours, with signed examples.</p>"""
_CURL = """\
URL={url} KEY={key}
SECRET={secret}
TOKEN= TOKEN_SECRET=

enc() {{ printf %s "$1" | sed 's/%/%25/g; s/:/%3A/g; s,/,%2F,g; s/=/%3D/g; s/&/%26/g; s/+/%2B/g; s/,/%2C/g'; }}
field() {{ tr '&' '\\n' | sed -n "s/^$1=//p" | sed 's/%2B/+/g; s,%2F,/,g; s/%3D/=/g'; }}

# signed PATH [NAME=VALUE ...]: one signed GET; values are percent-encoded already
signed() {{
  path=$1; shift
  all=$(printf '%s\\n' "$@" oauth_consumer_key="$(enc "$KEY")" oauth_nonce="$(openssl rand -hex 8)" \\
    oauth_signature_method=HMAC-SHA1 oauth_timestamp="$(date +%s)" ${{TOKEN:+oauth_token="$(enc "$TOKEN")"}} |
    grep . | LC_ALL=C sort | paste -sd '&' -)
  signature=$(printf %s "GET&$(enc "$URL$path")&$(enc "$all")" |
    openssl dgst -sha1 -hmac "$(enc "$SECRET")&$(enc "$TOKEN_SECRET")" -binary | openssl base64)
  curl -sS "$URL$path?$all&oauth_signature=$(enc "$signature")"
}}

got=$(signed /oauth/request_token oauth_callback=oob)
TOKEN=$(echo "$got" | field oauth_token) TOKEN_SECRET=$(echo "$got" | field oauth_token_secret)
# What a person does in the browser: accept, and copy the code.
CODE=$(curl -sS "$URL/e/t/etws/authorize" --data-urlencode "key=$KEY" --data-urlencode "token=$TOKEN" \\
  --data answer=accept | sed -n 's/.*id="verifier">\\([A-Z0-9]*\\)<.*/\\1/p')
got=$(signed /oauth/access_token oauth_verifier="$CODE")
TOKEN=$(echo "$got" | field oauth_token) TOKEN_SECRET=$(echo "$got" | field oauth_token_secret)

signed /v1/market/quote/{symbol}.json detailFlag=INTRADAY
"""
_PYTHON = """\
import requests
from requests_oauthlib import OAuth1Session

URL, KEY = {url}, {key}
SECRET = {secret}

first = OAuth1Session(KEY, SECRET, callback_uri="oob")
token = first.fetch_request_token(f"{{URL}}/oauth/request_token")
# What a person does in the browser: accept, and copy the code.
form = {{"key": KEY, "token": token["oauth_token"], "answer": "accept"}}
page = requests.post(f"{{URL}}/e/t/etws/authorize", data=form, timeout=30).text
code = page.split('id="verifier">')[1].split("<")[0]
access = first.fetch_access_token(f"{{URL}}/oauth/access_token", verifier=code)

api = OAuth1Session(KEY, SECRET, access["oauth_token"], access["oauth_token_secret"])
print(api.get(f"{{URL}}/v1/market/quote/{symbol}.json", params={{"detailFlag": "INTRADAY"}}).text)
"""


def index_page(settings: SimulatorSettings, symbols: Sequence[str], at: datetime, session: str) -> Answer:
    """The page of one simulator at an instant (UTC); `session` is which part of the day that is."""
    rates = (settings.market_limit.per_second, settings.accounts_limit.per_second, settings.orders_limit.per_second)
    rows = "".join(
        f"<tr><td>{verb}</td><td><code>{escape(path)}</code></td><td>{escape(what)}</td></tr>"
        for verb, path, what in TOLD
    )
    content = f"""
<p>It behaves like E*TRADE's REST API v1 and fills orders from one market day. No account, order or
price here is real.</p>
{_facts(settings, symbols, at, session)}
{_examples(settings, symbols[0]) if settings.for_programs else _NOT_FOR_PROGRAMS}
<h2>Endpoints</h2>
<p>An answer is XML; with <code>.json</code> at the end of the path, or <code>Accept: application/json</code>, it is
JSON. A body may be either. Calls in one second: {rates[0]} of market, {rates[1]} of accounts, {rates[2]} of orders;
more are refused.</p>
<table>{rows}</table>"""
    return page("Simulated E*TRADE", content, style=_STYLE)


def _examples(settings: SimulatorSettings, symbol: str) -> str:
    """Both examples, ready to be pasted."""
    shown = settings.consumer_secret if settings.made_up else GIVEN
    words = {"url": settings.public_url, "key": settings.consumer_key, "secret": shown}
    in_shell = {name: quote(value) for name, value in words.items()}
    in_python = {name: repr(value) for name, value in words.items()}
    return f"""<h2>A signed call with curl</h2>
<p>Paste it into a shell that has <code>curl</code> and <code>openssl</code>. It signs in, accepts, and asks for a
quote; then <code>signed PATH NAME=VALUE</code> makes any other GET.</p>
<pre id="curl">{escape(_CURL.format(**in_shell, symbol=symbol))}</pre>
<h2>The same with Python</h2>
<p>It needs <code>requests-oauthlib</code>.</p>
<pre id="python">{escape(_PYTHON.format(**in_python, symbol=symbol))}</pre>"""


def _facts(settings: SimulatorSettings, symbols: Sequence[str], at: datetime, session: str) -> str:
    more = f" and {len(symbols) - _SHOWN_SYMBOLS} more" if len(symbols) > _SHOWN_SYMBOLS else ""
    secret = settings.consumer_secret if settings.made_up else "the one that was given to it; it is not shown"
    facts = {
        **({"Address": settings.public_url} if settings.for_programs else {}),
        "In the market": f"{at.astimezone(NEW_YORK):%A, %d %B %Y, %H:%M:%S} New York, {session}",
        "Speed": f"{settings.speed:g} simulated seconds in a real one" if settings.speed != 1 else "as the wall clock",
        "Symbols": ", ".join(symbols[:_SHOWN_SYMBOLS]) + more,
        "Consumer key": settings.consumer_key,
        "Consumer secret": f"{secret} (made up for this simulator)" if settings.made_up else secret,
    }
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())
    return f"<dl>{rows}</dl>"
