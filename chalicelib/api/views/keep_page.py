"""The page behind a keep-link: plain HTML that asks nothing of any other server, runs nothing, and reads well without its style.

Made from the JSON that programs get. Everything from outside this file is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

#: No script, no outside resource, no other place that the form could go to, in nobody's frame, in no search engine or cache.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}


def keep_page(view: Mapping[str, Any]) -> str:
    """What would happen, and the button against it; or that it is kept."""
    return _kept(view) if view["kept"] else _asking(view)


def refusal_page(problem: Mapping[str, Any]) -> str:
    """Why nothing can be kept."""
    return page(str(problem["title"]), _paragraph(problem["detail"]))


def _asking(view: Mapping[str, Any]) -> str:
    name, at, until = escape(view["name"]), escape(view["atLocal"]), escape(view["untilLocal"])
    body = [
        f"<p>On <strong>{at}</strong> the lab <strong>{name}</strong> in {escape(view['region'])} is to "
        f"{'end' if view['act'] == 'end' else 'hibernate'}: {escape(view['effect'])}.</p>",
        f'<p class="why">{escape(_sentence(view["reason"]))}</p>',
        f"<p>The button keeps it until <strong>{until}</strong>.{_clamped(view)}{_cost(view)}</p>",
        f'<form method="post"><button type="submit">Keep {name}</button></form>',
        '<p class="small">If you do not need it, do nothing. Opening this page has changed nothing.</p>',
    ]
    return page(f"Keep {view['name']} for one night more?", "\n".join(body))


def _kept(view: Mapping[str, Any]) -> str:
    until = escape(view["untilLocal"])
    body = [
        f"<p>It is kept until <strong>{until}</strong>.{_clamped(view)}{_cost(view)}</p>",
        f'<p class="small">You can close this page. {_then(view)} '
        f"Done earlier? <code>ekslab delete cluster {escape(view['name'])}</code> ends it at once.</p>",
    ]
    return page(f"{view['name']} is kept", "\n".join(body))


def _then(view: Mapping[str, Any]) -> str:
    if view["leaseEnds"]:
        return "Before that time, when its lease ends, you are asked again."
    return "Before that time you are asked again, if it is still idle."


def _clamped(view: Mapping[str, Any]) -> str:
    if not view["clamped"]:
        return ""
    return f" That is as far as its allowance reaches; the next curfew would be {escape(view['nextCurfewLocal'])}."


def _cost(view: Mapping[str, Any]) -> str:
    return f" That costs about {escape(view['cost'])}." if view["cost"] else ""


def _sentence(text: str) -> str:
    message = text.strip()
    return message[:1].upper() + message[1:] + ("" if message.endswith((".", "!", "?")) else ".")


def _paragraph(text: object) -> str:
    return f"<p>{escape(str(text))}</p>"


def page(title: str, body: str) -> str:
    """A whole page around an escaped body."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
{body}
</main>
</body>
</html>
"""


_STYLE = """
:root {
  color-scheme: light dark;
  --ink: #1c2330; --soft: #566072; --paper: #f3f4f7; --card: #fff; --line: #dde1e8; --act: #0b57c2; --on: #fff
}
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7eaf0; --soft: #a3adbd; --paper: #11151c; --card: #1a202a; --line: #2e3745; --act: #8ab8ff; --on: #0c1420 }
}
* { box-sizing: border-box }
body {
  margin: 0; padding: 1.25rem; min-height: 100vh; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.55 system-ui, sans-serif
}
main {
  max-width: 34rem; margin: 6vh auto 0; padding: 1.75rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .75rem
}
h1 { margin: 0 0 1rem; font-size: 1.5rem; line-height: 1.25 }
h1, p { overflow-wrap: anywhere }
p { margin: 0 0 1rem }
.why { padding-left: .875rem; border-left: .25rem solid var(--line); color: var(--soft) }
.small { margin: 0; color: var(--soft); font-size: .9375rem }
button { width: 100%; margin: .25rem 0 1.25rem; padding: .875rem 1rem; border: 0; border-radius: .5rem; background: var(--act);
  color: var(--on); font: inherit; font-weight: 600; cursor: pointer; overflow-wrap: anywhere }
button:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px }
"""
