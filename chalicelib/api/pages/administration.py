"""Pages on this installation: curfew's rules and the stop switch, the list of offers; accounts, people and health.

Everyone may read them, as in the API; administrators change.
"""

from __future__ import annotations

from collections.abc import Sequence

from chalice import Response

from chalicelib.api.inputs.curfew_params import RULE_NAMES
from chalicelib.api.inputs.params import refuse
from chalicelib.api.pages.visit import Visit
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.core.service_health import judge_health
from chalicelib.domain.curfew.rules import BOUNDS, Mode
from chalicelib.domain.errors.findings import Finding, error
from chalicelib.domain.errors.tree import InvalidRequest, NotYours
from chalicelib.logs import logger
from chalicelib.services.curfew import plans
from chalicelib.services.labs.offers import get_offers
from chalicelib.services.support.accounts import all_registered

#: The label of each rule.
_LABELS = {
    "max_percent": Sentence("Labs that one night may take, in percent"),
    "max_count": Sentence("Labs that one night may take, at most"),
    "lead_hours": Sentence("Hours between the plan and curfew"),
    "notice_minutes": Sentence("Minutes between a warning and the act"),
    "window_hours": Sentence("Hours over which signs of use are looked for"),
    "young_hours": Sentence("Hours for which a new lab is not judged"),
    "late_hours": Sentence("Hours after curfew within which a lab may be ended"),
    "max_ahead_hours": Sentence("Hours from now that a lease may last"),
    "max_total_hours": Sentence("Hours that a lab may live in all"),
}


def show_rules(visit: Visit, status: int = 200, found: Sequence[Finding] = ()) -> Response:
    """Curfew's rules with the submitted values, the findings beside their fields, and the list of offers."""
    known, given = visit.deps.curfew.rules(), visit.form
    numbers = [
        (_LABELS[name], shown, given.get(shown, getattr(known, name)), *BOUNDS[name])
        for name, shown in ((name, RULE_NAMES[name]) for name in BOUNDS)
    ]
    beside = {
        field: [finding for finding in found if finding.path == field] for field in ("mode", *RULE_NAMES.values())
    }
    general = [finding for finding in found if finding.path not in beside]
    modes = tuple(str(mode) for mode in Mode)
    did = Sentence("The rules were changed.") if visit.query.get("did") == "rules" else ""
    offers = get_offers(visit.deps, visit.caller).offers
    shown = {"rules": known, "numbers": numbers, "modes": modes, "offers": offers, "did": did}
    return visit.show("rules.html", status, **shown, mode=given.get("mode", known.mode), beside=beside, general=general)


def change_rules(visit: Visit) -> Response:
    """Change all rules of the form at once. Raises NotYours."""
    if not visit.caller.is_admin:
        raise NotYours("How curfew works is for administrators to say.")
    try:
        _change(visit)
    except InvalidRequest as refused:
        return show_rules(visit, 400, refused.findings)
    logger.info("Curfew's rules were changed.", extra={"caller": visit.caller.arn})
    return visit.go("administration?did=rules")


def _change(visit: Visit) -> None:
    numbers = {name: _number(visit, RULE_NAMES[name]) for name in BOUNDS if visit.form.get(RULE_NAMES[name], "")}
    mode = {str(mode): mode for mode in Mode}.get(visit.form.get("mode", ""))
    plans.set_rules(visit.deps, visit.caller, numbers, mode, RULE_NAMES, visit.now)


def _number(visit: Visit, name: str) -> int:
    given = visit.form[name]
    if not (given.isascii() and given.isdigit() and len(given) < 6):
        refuse([error(name, "not-a-number", "{name} is a whole number.", name=name)])
    return int(given)


def show_accounts(visit: Visit) -> Response:
    """Registered accounts, people, and the health of scheduled runs. Role names are for administrators."""
    if visit.path != "administration/accounts":
        return visit.go("administration")
    health = judge_health(visit.deps.store.runs(), (), visit.now)
    people = visit.context.people if visit.caller.is_admin else None
    return visit.show("accounts.html", accounts=all_registered(visit.deps), health=health, people=people)
