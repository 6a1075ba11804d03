"""How the sign-in pages look: one sheet of style, one small script, a body each; nothing of a request is repeated.

Style and script are constants, and the policy allows exactly these two by their hashes and nothing from anywhere else.
The script moves what is behind the `#` of a link into the form, so that it is posted and never part of an address that
is sent; without a script the owner pastes the link.
"""

import base64
import hashlib
from html import escape

STYLE = """
:root{color-scheme:light dark;--paper:#f3f1ec;--card:#fff;--ink:#1b1f2a;--soft:#5c6373;--line:#c9c4b7;--go:#3d2bb8;
--go-ink:#fff;--good:#0f7b4d;--bad:#a3341f;--shade:0 1px 2px rgb(27 31 42/.06),0 12px 40px rgb(27 31 42/.10)}
@media (prefers-color-scheme:dark){:root{--paper:#12141a;--card:#1b1e27;--ink:#eceef4;--soft:#a2a9ba;--line:#474d60;
--go:#b4a7ff;--go-ink:#17132f;--good:#5fd3a0;--bad:#ff9d86;--shade:0 1px 0 rgb(255 255 255/.04) inset}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;min-height:100dvh;display:grid;align-content:center;justify-items:center;gap:1.25rem;
padding:1.25rem;background:var(--paper);color:var(--ink);font:1.0625rem/1.55 system-ui,-apple-system,"Segoe UI",
Roboto,"Noto Sans",sans-serif;-webkit-text-size-adjust:100%}
main{width:100%;max-width:27rem;background:var(--card);border-radius:1.1rem;padding:1.9rem 1.6rem;
box-shadow:var(--shade)}
.good::before,.bad::before{display:grid;place-items:center;width:3.1rem;height:3.1rem;margin:0 0 1.1rem;
border-radius:50%;font-size:1.5rem;font-weight:700;color:var(--card)}
.good::before{content:"\\2713";background:var(--good)}.bad::before{content:"!";background:var(--bad)}
.what{margin:0 0 .35rem;color:var(--soft);font-size:.8125rem;font-weight:600;letter-spacing:.07em;
text-transform:uppercase}
h1{margin:0 0 .8rem;font-size:1.55rem;line-height:1.2;letter-spacing:-.015em;text-wrap:balance}
p{margin:0 0 1.1rem;text-wrap:pretty}p:last-child{margin-bottom:0}
ol{list-style:none;margin:1.4rem 0 0;padding:0;counter-reset:step}
li{counter-increment:step;position:relative;padding:0 0 1.5rem 2.9rem}
li::before{content:counter(step);position:absolute;left:0;top:-.1rem;width:1.95rem;height:1.95rem;border-radius:50%;
display:grid;place-items:center;font-weight:650;font-size:.95rem;border:1.5px solid var(--line);color:var(--soft)}
li:not(:last-child)::after{content:"";position:absolute;left:.95rem;top:2.2rem;bottom:.35rem;border-left:1.5px solid
var(--line)}
li:last-child{padding-bottom:.4rem}
label,.step{display:block;margin:0 0 .6rem;font-weight:600}
input{width:100%;font:inherit;color:inherit;background:var(--paper);border:1.5px solid var(--line);
border-radius:.7rem;padding:.8rem .9rem;margin:0 0 .8rem}
input.code{font:600 1.6rem/1.2 ui-monospace,SFMono-Regular,Menlo,monospace;letter-spacing:.22em;text-align:center;
text-transform:uppercase;padding:.7rem .4rem}
.go{display:block;width:100%;font:inherit;font-weight:650;text-align:center;text-decoration:none;cursor:pointer;
border:0;border-radius:.7rem;padding:.95rem 1rem;min-height:3.25rem;background:var(--go);color:var(--go-ink)}
.said{color:var(--bad);font-weight:600}
.go.stop{background:var(--bad);color:var(--card)}
.go.quiet{background:none;color:var(--go);border:1.5px solid currentColor}
input:focus-visible,.go:focus-visible{outline:3px solid var(--go);outline-offset:3px}
.note{color:var(--soft);font-size:.9375rem;border-top:1px solid var(--line);padding-top:1rem;margin-top:1.3rem}
.has-link .paste{display:none}
footer{text-wrap:balance;color:var(--soft);font-size:.8125rem;text-align:center;max-width:27rem}
"""
SCRIPT = """
function take(){var part=location.hash.slice(1);if(!part)return;history.replaceState(null,"",location.pathname);
document.forms[0].elements.link.value=part;document.body.className="has-link"}
addEventListener("hashchange",take);take();
"""


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


POLICY = (
    f"default-src 'none'; style-src {_hash(STYLE)}; script-src {_hash(SCRIPT)}; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">{head}<title>{title}</title><style>{style}</style></head>
<body><main class="{mood}"><p class="what">Your trading system</p><h1>{title}</h1>{body}</main>
<footer>Your E*TRADE password is typed at E*TRADE only, never on this page.</footer>{script}</body></html>
"""
_START = (
    "<p>Sign in for today, so that the system can trade and manage what it holds. "
    "It takes half a minute: E*TRADE asks you to accept, and you come back here.</p>"
    '<form method="post" action="/start"><div class="paste"><label for="link">The link that you were sent</label>'
    '<input id="link" name="link" autocomplete="off" autocapitalize="none" spellcheck="false" required></div>'
    '<button class="go">Continue</button></form>'
    '<p class="note paste">Nobody sent you a link? Then close this page: it opens nothing without one.</p>'
)
_AGAIN = '<form method="post" action="/again"><button class="go">Begin again</button></form>'


_HALT = (
    "<p>This is <b>{name}</b>.</p><p>Nothing new is bought, and orders to buy are cancelled. Stops at E*TRADE stay, "
    "and what is held may still be sold. Only you can let it trade again, with <b>strategy resume</b>.</p>"
    '<form method="post" action="/halt"><div class="paste"><label for="link">The link of a notice</label>'
    '<input id="link" name="link" autocomplete="off" autocapitalize="none" spellcheck="false" required></div>'
    '<button class="go stop">Halt trading</button></form>'
    '<p class="note">This page can halt, and nothing else. Nobody needs to be signed in.</p>'
)
_HALTED = (
    "<p>The halt of <b>{name}</b> is asked for, and should be in force within a minute. A notice with the title "
    "<b>Trading is HALTED</b> says so, and <b>strategy status</b> shows it; where trading was halted before, no new "
    "notice comes.</p>"
    "<p>If neither says so after two minutes, go back and press the button again, or run <b>strategy halt</b>. "
    "In E*TRADE's own app you can cancel orders and sell.</p>"
)


def start_page() -> str:
    """The page that a link opens; the same for everybody, link or not."""
    return _page("Sign in to E*TRADE", _START, script=True)


def halt_page(name: str) -> str:
    """The page that a halt link opens, to confirm it; it names the system, and is the same for everybody."""
    return _page("Halt trading?", _HALT.format(name=escape(name)), script=True)


def halted_page(name: str) -> str:
    """What happens next at the system of this name, and how to see that it did."""
    return _page("The halt is asked for", _HALTED.format(name=escape(name)), mood="good")


def pin_page(url: str, state: str, *, said: str = "") -> str:
    """Where the owner opens E*TRADE beside this page and types the code that it shows; `said` is told first."""
    told = f'<p class="said" role="alert">{escape(said)}</p>' if said else ""
    body = (
        f"{told}<ol><li>"
        '<span class="step">Accept at E*TRADE, and keep the code that it shows.</span>'
        '<a class="go" id="authorize" target="_blank" rel="noopener noreferrer" '
        f'href="{escape(url, quote=True)}">Open E*TRADE</a></li>'
        '<li><form method="post" action="/pin">'
        f'<input type="hidden" name="state" value="{escape(state, quote=True)}">'
        '<label for="pin">Type the code here.</label>'
        '<input class="code" id="pin" name="pin" autocomplete="one-time-code" '
        'autocapitalize="characters" autocorrect="off" spellcheck="false" required maxlength="24" '
        'pattern="\\s*[A-Za-z0-9]{4,16}\\s*" title="The letters and digits that E*TRADE shows">'
        '<button class="go">Sign in</button></form></li></ol>'
        '<p class="note">This page is valid for five minutes.</p>'
    )
    return _page("Two steps to sign in", body)


def onward_page(url: str) -> str:
    """Where the owner is sent on to E*TRADE, which comes back by itself."""
    safe = escape(url, quote=True)
    body = (
        "<p>E*TRADE asks you to accept and then brings you back here.</p>"
        f'<a class="go" id="authorize" rel="noreferrer" href="{safe}">Go on to E*TRADE</a>'
    )
    return _page("One moment", body, head=f'<meta http-equiv="refresh" content="0; url={safe}">')


def done_page(until: str) -> str:
    """The end that everybody hopes for."""
    body = f"<p>The system may trade until {escape(until)} at the latest, and asks you again tomorrow.</p>"
    return _page("You are signed in", f"{body}<p>You can close this page.</p>", mood="good")


def sentence_page(title: str, sentence: str, *, again: bool = False, mood: str = "bad") -> str:
    """One sentence of ours, with a button to begin again where this browser may."""
    return _page(title, f"<p>{escape(sentence)}</p>{_AGAIN if again else ''}", mood=mood)


def _page(title: str, body: str, *, mood: str = "", head: str = "", script: bool = False) -> str:
    return _PAGE.format(
        title=escape(title), body=body, mood=mood, head=head, style=STYLE,
        script=f"<script>{SCRIPT}</script>" if script else "",
    )  # fmt: skip
