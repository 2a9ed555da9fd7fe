"""Renders templates to HTML. Everything is escaped, and a missing variable is an error. The only importer of Jinja2.

The package holds the templates compiled (deployment/pages.py); in a checkout they are compiled when first used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, Environment, FileSystemLoader, ModuleLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from chalicelib.api.pages.assets import address
from chalicelib.api.views.keep_page import inline
from chalicelib.domain.core.deferred import pattern
from chalicelib.domain.core.resources import kind_said
from chalicelib.domain.core.sentence import ENGLISH, Sentence, Slot, Style, Words, said
from chalicelib.domain.costs import usd
from chalicelib.domain.labs.lab import Phase, phase_said

_TURNING = pattern("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_HERE = Path(__file__).parent
COMPILED = "compiled"
_STATES: dict[str, str] = {
    text: text
    for text in (
        *(Sentence("standing"), Sentence("acting"), Sentence("ended"), Sentence("hibernated"), Sentence("skipped")),
        *(Sentence("running"), Sentence("done"), Sentence("failed"), Sentence("left")),
        *(Sentence("deleted"), Sentence("kept"), Sentence("blocked"), Sentence("unproven"), Sentence("still there")),
        *(Sentence("public"), Sentence("private"), Sentence("none"), Sentence("on"), Sentence("off")),
        *(Sentence("end"), Sentence("hibernate"), Sentence("delete"), Sentence("keep")),
        *(Sentence("standard"), Sentence("extended")),
    )
} | {
    "public-and-private": Sentence("public and private"),
    "single": Sentence("one gateway"),
    "snapshot": Sentence("snapshot, then delete"),
    "dry-run": Sentence("dry run: plans, and does nothing"),
    "past-the-end": Sentence("past its end"),
    "unknown-version": Sentence("version not known"),
}


def render(template: str, model: Mapping[str, Any], words: Words = ENGLISH) -> str:
    """The page in a language."""
    return environment().get_template(template).render({**model, "words": words, "t": translator(words)})


def translator(words: Words) -> Callable[..., Markup]:
    """The function with which templates translate: a message, its plural if it has one, and its slots."""

    def t(message: str, many: str = "", /, **slots: Slot) -> Markup:
        return Markup(inline(Sentence(message, many, **slots), words))

    return t


@pass_context
def say(context: Context, text: str) -> str:
    """A sentence from the domain, in the page's language."""
    return said(text, context["words"])


@pass_context
def say_phase(context: Context, phase: Phase) -> str:
    """A lab's phase."""
    return said(phase_said(phase), context["words"])


@pass_context
def say_kind(context: Context, kind: str) -> str:
    """A kind of things."""
    return said(kind_said(kind), context["words"])


@pass_context
def say_state(context: Context, state: str) -> str:
    """The words for the state of a step, of a line of a plan, or of one of a receipt; and for choices."""
    return said(_STATES.get(str(state), str(state)), context["words"])


@cache
def environment() -> Environment:
    """The environment with our filters; packaging compiles with the same."""
    compiled = _HERE / COMPILED
    loader: BaseLoader = ModuleLoader(compiled) if compiled.is_dir() else FileSystemLoader(_HERE / "templates")
    made = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        finalize=without_turns,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {"usd": format_usd, "instant": say_time, "local": say_time, "span": say_span, "person": short_name}
    made.filters |= {"said": say, "phase": say_phase, "step": say_state, "outcome": say_state, "choice": say_state}
    made.filters["kind"] = say_kind
    made.globals |= {"asset": address}
    return made


def without_turns(shown: Any) -> Any:
    """Without characters that turn the text direction, and other invisible ones: names are untrusted."""
    if not isinstance(shown, str) or not _TURNING.search(shown):
        return shown
    return type(shown)(_TURNING.sub("", shown)) if isinstance(shown, Markup) else _TURNING.sub("", shown)


def format_usd(amount: float | None) -> str:
    """`$5.28`; an unknown amount is shown as such."""
    return Sentence("not known") if amount is None else usd(amount)


@pass_context
def say_time(context: Context, instant: datetime | None, zone: str = "UTC") -> str:
    """`Mon 23 Nov 22:00 (UTC)`."""
    words: Words = context["words"]
    return "" if instant is None else words.moment(instant, zone, Style.LOCAL)


@pass_context
def say_span(context: Context, span: timedelta) -> str:
    """`2 d 4 h`, `3 h 20 min`, `12 min`; nothing below a minute."""
    return said(format_span(span), context["words"])


def format_span(span: timedelta) -> Sentence:
    """In English, with its translation."""
    minutes = max(int(span.total_seconds() // 60), 0)
    days, hours, left = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return Sentence("{days} d {hours} h", days=days, hours=hours)
    return Sentence("{hours} h {left} min", hours=hours, left=left) if hours else Sentence("{left} min", left=left)


def short_name(arn: str) -> str:
    """The last part of an ARN: `learner@example.com`; any other text whole."""
    return arn.rpartition("/")[2] if arn.startswith("arn:") and "/" in arn else arn
