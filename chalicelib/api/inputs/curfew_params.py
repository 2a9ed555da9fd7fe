"""Bodies and path parts of the routes about curfew, read with all findings at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from chalicelib.api.inputs.body import read_body, refusal
from chalicelib.api.inputs.params import fields_of, instant_of, refuse
from chalicelib.api.views.json_format import camel
from chalicelib.domain.core.deferred import dataclass, pattern
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.extension import ExtensionRequest
from chalicelib.domain.curfew.rules import BOUNDS, Mode
from chalicelib.domain.labs.schedule import Schedule
from chalicelib.domain.requests.eksctl.reader import Reader
from chalicelib.domain.requests.schedule_input import ScheduleRules, date_in, read_schedule

#: The JSON name of each of curfew's numbers.
RULE_NAMES: Mapping[str, str] = {rule: camel(rule) for rule in BOUNDS}
_HASH = pattern(r"[0-9a-f]{64}")
#: Any allowance is shorter than this.
_MOST_HOURS = 8760
_LONGEST_WHY = 200


@dataclass(frozen=True)
class RulesAsked:
    """The fields of `PUT /curfew`; omitted ones stay unchanged."""

    numbers: Mapping[str, int]
    mode: Mode | None


def read_day(text: str) -> date:
    """The date of a plan's path. Raises InvalidRequest."""
    day = date_in(text)
    if day is None:
        raise refusal("invalid-date", "{text} is no day. They look like 2026-11-23.", "date", text=text[:40])
    return day


def read_release(raw: bytes, content_type: str | None) -> str:
    """The `hash` of the plan that its reader saw. Raises InvalidRequest."""
    with fields_of(raw, content_type) as body:
        text = body.text("hash") or ""
        body.close()
        if not _HASH.fullmatch(text) and not body.notes.findings:
            body.error("hash", "invalid-hash", "hash is that of the plan, as `ekslab get plan` shows it.")
    return text


def read_extension(raw: bytes, content_type: str | None) -> ExtensionRequest:
    """`until`, or `hours`. Raises InvalidRequest."""
    with fields_of(raw, content_type) as body:
        until, hours = instant_of(body, "until"), body.whole("hours")
        if body.has("until") == body.has("hours"):
            body.error(
                "",
                "missing" if not body.has("until") else "both",
                'Say either until, {"until": "2026-12-01T00:00:00Z"}, or hours more than it has now, {"hours": 4}.',
            )
        if hours is not None and not 1 <= hours <= _MOST_HOURS:
            body.error("hours", "invalid-hours", "hours is 1 to {most}.", most=_MOST_HOURS)
    return ExtensionRequest(until.replace(microsecond=0) if until else None, hours)


def read_protection(raw: bytes, content_type: str | None) -> tuple[datetime | None, str]:
    """`until` and `why`; `{"until": null}` ends a protection. Raises InvalidRequest."""
    with fields_of(raw, content_type) as body:
        until, why = instant_of(body, "until"), _why(body)
        if not body.has("until") and not body.is_null("until"):
            body.error(
                "until", "missing", "until is required: an instant such as 2026-12-01T00:00:00Z, or null to end it."
            )
        if body.has("until") and not 1 <= len(why) <= _LONGEST_WHY:
            message = Sentence(
                "Say why, in 1 to {most} characters: its owner and the report read it.", most=_LONGEST_WHY
            )
            body.error("why", "missing", message)
    return until, why


def read_why(raw: bytes, content_type: str | None) -> str:
    """The one field `why`. Raises InvalidRequest."""
    with fields_of(raw, content_type) as body:
        why = _why(body)
        if not 1 <= len(why) <= _LONGEST_WHY:
            message = Sentence("Say why, in 1 to {most} characters: the lab's owner reads it.", most=_LONGEST_WHY)
            body.error("why", "missing", message)
    return why


def _why(body: Reader) -> str:
    return " ".join((body.text("why") or "").split())


def read_whole_schedule(raw: bytes, content_type: str | None, rules: ScheduleRules) -> Schedule:
    """The fields of `schedule` in `POST /labs`; omitted fields take the installation's values. Raises InvalidRequest."""
    from chalicelib.api.inputs.lab_body import schedule_draft
    from chalicelib.api.inputs.schema_errors import fit

    own, unfit, _ = fit({"schedule": read_body(raw, content_type)})
    schedule, wrong = read_schedule(schedule_draft(own.schedule), rules, "")
    refuse([*(replace(finding, path=finding.path.removeprefix("schedule.")) for finding in unfit), *wrong])
    return schedule


def read_rules(raw: bytes, content_type: str | None) -> RulesAsked:
    """Some of curfew's rules. Raises InvalidRequest."""
    with fields_of(raw, content_type) as body:
        mode = _mode(body)
        numbers = {rule: body.whole(name) for rule, name in RULE_NAMES.items()}
        body.close()
        asked = {rule: number for rule, number in numbers.items() if number is not None}
        if mode is None and not asked and not body.notes.findings:
            body.error("", "empty", "Say at least one of mode, {names}.", names=", ".join(RULE_NAMES.values()))
    return RulesAsked(asked, mode)


def _mode(body: Reader) -> Mode | None:
    """YAML reads on and off as truth values."""
    value = body.raw("mode")
    if value is None or isinstance(value, bool):
        return None if value is None else Mode.ON if value else Mode.OFF
    known = {str(mode): mode for mode in Mode}
    if not isinstance(value, str) or value not in known:
        body.error("mode", "invalid-mode", "mode is one of {names}.", names=", ".join(known))
        return None
    return known[value]
