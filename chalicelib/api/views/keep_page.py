"""The subject of a keep-link as JSON, and its page: plain HTML without other servers, scripts, or need of its style.

Everything from outside this file is escaped. Both are read without a login: they hold no ARN.
"""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any

from chalicelib.api.views.json_format import instant
from chalicelib.domain.core.deferred import pattern
from chalicelib.domain.core.sentence import Said, Sentence, Words, ended, opening, said
from chalicelib.domain.costs import describe_keeping
from chalicelib.domain.labs.schedule import AtCurfew, format_local
from chalicelib.services.curfew.keep import KeepView

_CODE, _STRONG, _TAG = pattern("`([^`\n]+)`"), pattern(r"\*\*(.+?)\*\*"), pattern("<[^>]*>")
#: Private-use characters that replace marks in slots.
_UNMARKED = {ord("*"): "\ue000", ord("`"): "\ue001"}
_MARKED = {0xE000: "*", 0xE001: "`"}
#: No script, no outside resource, no other form target, no frames, no search engine, no cache.
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

_EFFECTS = {
    AtCurfew.END: Sentence("everything of it is deleted"),
    AtCurfew.HIBERNATE: Sentence("it goes to sleep: its nodes are shut down, and come back when it is woken"),
}


def keep_view(view: KeepView) -> dict[str, Any]:
    """`at`: the time of the planned act; `until`: the end of keeping, offered or done. `cost` None: unknown."""
    entry, keeping = view.entry, view.keeping

    def local(context: datetime) -> str:
        return format_local(view.lab.spec.schedule, context)

    return {
        "name": entry.name,
        "region": entry.region,
        "act": str(entry.act),
        "effect": _EFFECTS[entry.act],
        "trigger": str(entry.trigger),
        "reason": entry.reason,
        "at": instant(entry.at),
        "atLocal": local(entry.at),
        "kept": view.kept,
        "until": instant(keeping.until),
        "untilLocal": local(keeping.until),
        "leaseEnds": keeping.lab.lease_ends_at <= keeping.until,
        "clamped": keeping.clamped,
        "nextCurfewLocal": local(keeping.wanted),
        "cost": None if view.usd is None else describe_keeping(view.usd, entry.hourly_usd),
    }


def keep_page(view: KeepView, words: Words) -> str:
    """The planned act with the button against it, or the confirmation that the lab is kept."""
    return _kept(view, words) if view.kept else _asking(view, words)


def refusal_page(title: str, detail: str, words: Words) -> str:
    """The reason of a refusal."""
    return page(inline(title, words), paragraph_of(detail, words), words)


def _asking(view: KeepView, words: Words) -> str:
    entry, schedule = view.entry, view.lab.spec.schedule
    slots = {"name": entry.name, "region": entry.region, "at": format_local(schedule, entry.at)}
    coming = (
        Sentence("On **{at}** the lab **{name}** in {region} is to end: everything of it is deleted.", **slots)
        if entry.act is AtCurfew.END
        else Sentence(
            "On **{at}** the lab **{name}** in {region} is to go to sleep: its nodes are shut down, and come back when it is "
            "woken.",
            **slots,
        )
    )
    until = Sentence("The button keeps it until **{until}**.", until=format_local(schedule, view.keeping.until))
    body = [
        paragraph_of(coming, words),
        f'<p class="why">{inline(ended(opening(entry.reason)), words)}</p>',
        paragraph_of(until, words, _clamped(view), _cost(view)),
        button(Sentence("Keep {name}", name=entry.name), words),
        small(Sentence("If you do not need it, do nothing. Opening this page has changed nothing."), words),
    ]
    return page(inline(Sentence("Keep {name} for one night more?", name=entry.name), words), "\n".join(body), words)


def _kept(view: KeepView, words: Words) -> str:
    name, schedule = view.entry.name, view.lab.spec.schedule
    until = Sentence("It is kept until **{until}**.", until=format_local(schedule, view.keeping.until))
    leased = view.keeping.lab.lease_ends_at <= view.keeping.until
    body = [
        paragraph_of(until, words, _clamped(view), _cost(view)),
        small(
            Sentence("You can close this page. Before that time, when its lease ends, you are asked again.")
            if leased
            else Sentence("You can close this page. Before that time you are asked again, if it is still idle."),
            words,
            Sentence("Done earlier? `ekslab delete cluster {name}` ends it at once.", name=name),
        ),
    ]
    return page(inline(Sentence("{name} is kept", name=name), words), "\n".join(body), words)


def _clamped(view: KeepView) -> str:
    if not view.keeping.clamped:
        return ""
    following = format_local(view.lab.spec.schedule, view.keeping.wanted)
    if view.keeping.no_room:
        return Sentence(
            "Its lease ends then, and a ceiling of money leaves no room for a longer one; the next curfew would be {at}.",
            at=following,
        )
    return Sentence("That is as far as its allowance reaches; the next curfew would be {at}.", at=following)


def _cost(view: KeepView) -> str:
    if view.usd is None:
        return ""
    return Sentence("That costs about {amount}.", amount=describe_keeping(view.usd, view.entry.hourly_usd))


def inline(text: str, words: Words) -> str:
    """A text in HTML: escaped first, then `code` and **strong**; names in it can't add marks."""
    html = escape(said(_unmarked(text), words))
    return _STRONG.sub(r"<strong>\1</strong>", _CODE.sub(r"<code>\1</code>", html)).translate(_MARKED)


def _unmarked(text: str) -> str:
    """The sentence with the marks in its slots replaced."""
    if not isinstance(text, Sentence):
        return text
    slots = {
        name: _unmarked(value) if isinstance(value, Said) else value.translate(_UNMARKED)
        for name, value in text.slots.items()
        if isinstance(value, str) and ("*" in value or "`" in value)
    }
    return text.with_slots(**slots) if slots else text


def paragraph_of(text: str, words: Words, *more: str) -> str:
    """A paragraph of these texts."""
    return f"<p>{' '.join(inline(each, words) for each in (text, *more) if each)}</p>"


def small(text: str, words: Words, *more: str) -> str:
    """A paragraph in small print."""
    return f'<p class="small">{" ".join(inline(each, words) for each in (text, *more) if each)}</p>'


def button(text: str, words: Words) -> str:
    """The one button of a page: it posts to the page's own address."""
    return f'<form method="post"><button type="submit">{inline(text, words)}</button></form>'


def page(title: str, body: str, words: Words) -> str:
    """A whole page around a title and a body in HTML."""
    return f"""<!DOCTYPE html>
<html lang="{words.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="color-scheme" content="light dark">
<title>{_TAG.sub("", title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{title}</h1>
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
  font: 1.0625rem/1.55 system-ui, sans-serif; word-break: keep-all
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
