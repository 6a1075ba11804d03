"""The pages that a person opens: each says at once that it is a simulator, and loads nothing."""

from __future__ import annotations

from html import escape

from infra.brokersim.wire import HTML, Answer

_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; background: #eef0f4; color: #1c2330; }
main { max-width: 30rem; margin: 10vh auto; background: #fff; border-radius: 12px; overflow: hidden;
       box-shadow: 0 8px 30px rgb(20 30 60 / .14); }
header { background: #8a4b00; color: #fff; padding: .6rem 1.5rem; font-weight: 600; letter-spacing: .02em; }
section { padding: 1.5rem; }
h1 { font-size: 1.35rem; margin: 0 0 .75rem; }
p { margin: 0 0 1rem; }
form { display: flex; gap: .75rem; }
button { flex: 1; padding: .7rem; font: inherit; font-weight: 600; border-radius: 8px; cursor: pointer;
         border: 1px solid #5a3fc0; background: #fff; color: #5a3fc0; }
button[value=accept] { background: #5a3fc0; color: #fff; }
button:focus-visible { outline: 3px solid #e0a100; outline-offset: 2px; }
output { display: block; padding: .8rem; margin: 0 0 1rem; border-radius: 8px; background: #f1eefc;
         color: #2b1d6b; font: 700 1.9rem/1.2 ui-monospace, monospace; letter-spacing: .2em;
         text-align: center; user-select: all; }
small { color: #5b6475; }
@media (prefers-color-scheme: dark) {
  body { background: #14171d; color: #e8ebf1; } main { background: #1f242d; } small { color: #a3acbd; }
  button { background: transparent; color: #c9bcff; border-color: #c9bcff; }
}
"""


def page(title: str, content: str, status: int = 200, style: str = "") -> Answer:
    """A whole page; `content` is HTML already, `style` is beside what all pages have."""
    body = f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} - broker simulator</title><style>{_STYLE}{style}</style></head>
<body><main><header>Simulator: no real account, no real money</header>
<section><h1>{escape(title)}</h1>{content}</section></main></body>
</html>
"""
    return Answer(status, HTML, body.encode())


def question_page(key: str, token: str) -> Answer:
    """Asks whether the application may trade in the simulated account."""
    return page(
        "Allow this application?",
        "<p>It wants to read the simulated accounts and place simulated orders in them "
        "until midnight in New York.</p>"
        f'<form method="post"><input type="hidden" name="key" value="{escape(key)}">'
        f'<input type="hidden" name="token" value="{escape(token)}">'
        '<button name="answer" value="accept">Accept</button>'
        '<button name="answer" value="decline">Decline</button></form>',
    )


def verifier_page(verifier: str) -> Answer:
    """Shows the verifier in an element with the id `verifier`."""
    return page(
        "Your verification code",
        f'<output id="verifier">{escape(verifier)}</output>'
        "<p>Type this code where you began to sign in.</p>"
        "<small>It works once and only for a few minutes.</small>",
    )


def declined_page() -> Answer:
    """Says that nothing was allowed."""
    return page("Declined", "<p>The application was not allowed in. You can close this page.</p>")


def unknown_page() -> Answer:
    """What E*TRADE shows for a wrong key or a wrong, wrongly encoded or old token."""
    return page(
        "Sorry",
        "<p>Due to a logon delay or other issue, your authentication could not be completed at this time. "
        "Please try again.</p>"
        "<small>The key is unknown, or the request token is unknown, wrongly encoded, used or older than "
        "five minutes.</small>",
        status=400,
    )
