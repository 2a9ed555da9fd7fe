"""The HTTP routes: translate, delegate, present. Every route asks for AWS Signature Version 4, but the keep-link's and
the pages', which ask for a session."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from chalice import Blueprint, Response

from chalicelib.api.context import PAGE, RequestContext, json_answer
from chalicelib.api.inputs import params
from chalicelib.api.inputs.lab_request import read_asked
from chalicelib.api.routes.accounts import route_accounts
from chalicelib.api.routes.approval import route_approval
from chalicelib.api.routes.clusters import route_clusters
from chalicelib.api.routes.costs import route_costs
from chalicelib.api.routes.curfew import route_curfew
from chalicelib.api.routes.health import route_health
from chalicelib.api.routes.keep import route_keeping
from chalicelib.api.routes.lease import route_schedules
from chalicelib.api.routes.mail_links import route_mail_links
from chalicelib.api.routes.offers import route_offers
from chalicelib.api.routes.pages import route_pages
from chalicelib.api.routes.people import route_people
from chalicelib.api.views import labs
from chalicelib.api.views.json_format import to_json
from chalicelib.domain.core.place import Place
from chalicelib.domain.identity.people import People
from chalicelib.domain.support.calendar import Calendar
from chalicelib.logs import logger
from chalicelib.ports.deps import Deps
from chalicelib.services.labs import adoption, commands, inventory, lease, leftovers, queries
from chalicelib.services.labs.commands import Accepted

_LAB = "/labs/{lab_id}"
_YAML = "application/yaml"


def make_blueprint(get_deps: Callable[[], Deps], get_people: Callable[[], People]) -> Blueprint:
    """The routes; `Deps` and people are built when the first request comes."""
    return routes_of(get_deps, get_people).routes


def routes_of(get_deps: Callable[[], Deps], get_people: Callable[[], People]) -> RequestContext:
    """The same, with their descriptions for the OpenAPI document."""
    context = RequestContext(Blueprint(__name__), get_deps, get_people)
    for register in (
        *(_route_labs, _route_one_lab, _route_looks, route_clusters, route_accounts, route_offers, route_people),
        *(route_schedules, route_curfew, route_keeping, route_approval, route_mail_links, route_costs, route_health),
        route_pages,
    ):
        register(context)
    return context


def _route_labs(context: RequestContext) -> None:
    @context.route(
        "POST",
        "/labs",
        "Request a lab",
        (202, "Stored; creation has started"),
        (400, 409, 422),
        body="Lab",
        query=("dryRun",),
        headers=("Idempotency-Key",),
        also=((200, "A dry run: the completed request and its cost"),),
    )
    def post_lab() -> Response:
        deps, caller, now = context.deps, context.caller, context.deps.clock.now()
        only_planned = params.read_dry_run(context.query)
        key, digest = params.read_key(context.header("idempotency-key")), hashlib.sha256(context.body).hexdigest()
        ahead = deps.store.look_ahead(caller.identity, None if only_planned else key, digest, now)
        before = commands.requested_before(deps, ahead)
        if before is not None:
            return _requested(context, before, queries.versions(deps, before.lab.region), now)
        asking, calendar = read_asked(deps, caller, context.body, context.header("content-type"), now, ahead)
        if only_planned:
            plan = commands.plan_lab(deps, caller, asking, now)
            return json_answer(labs.planned(plan.lab, plan.findings, lease.coming(deps, plan.lab, calendar, now), now))
        return _requested(context, commands.request_lab(deps, caller, asking, key, digest, now), calendar, now)

    @context.route("GET", "/labs", "List labs, newest first", (200, "A page"), (400,), query=("owner", "phase", *PAGE))
    def get_labs() -> Response:
        asked = params.read_list(context.query)
        limit, cursor = asked.page.limit, asked.page.cursor
        page = queries.list_labs(context.deps, context.caller, asked.owner, asked.phases, limit, cursor)
        now = context.deps.clock.now()
        found = [labs.lab_in_list(lab, context.base, now) for lab in page.items]
        return json_answer({"labs": found, "cursor": page.cursor})

    @context.route(
        "GET",
        "/versions",
        "List Kubernetes versions and their support",
        (200, "The calendar"),
        (400,),
        query=("region",),
    )
    def get_versions() -> Response:
        deps, region = context.deps, params.read_region(context.query)
        calendar = queries.versions(deps, region)
        return json_answer(labs.calendar_view(calendar, region or deps.limits.default_region, deps.clock.now()))


def _route_one_lab(context: RequestContext) -> None:
    @context.route("GET", _LAB, "Get a lab: phase, reason, steps, endpoint, next events", (200, "The lab"), (404,))
    def get_lab(lab_id: str) -> Response:
        deps, now = context.deps, context.deps.clock.now()
        return json_answer(labs.lab_view(queries.get_lab(deps, context.caller, lab_id, now), context.base, now))

    @context.route(
        "PATCH", _LAB, "Change endpoint access or node counts", (202, "Under way"), (400, 404, 409), body="Change"
    )
    def patch_lab(lab_id: str) -> Response:
        deps, caller = context.deps, context.caller
        commands.own_lab(deps, caller, lab_id)
        change = params.read_change(context.body, context.header("content-type"))
        return _accepted(context, commands.change_lab(deps, caller, lab_id, change, deps.clock.now()))

    @context.route("DELETE", _LAB, "Delete the lab and all its resources", (202, "Under way"), (404,))
    def delete_lab(lab_id: str) -> Response:
        deps = context.deps
        return _accepted(context, commands.release_lab(deps, context.caller, lab_id, deps.clock.now()))


def _route_looks(context: RequestContext) -> None:
    @context.route(
        "GET", f"{_LAB}/events", "List the lab's history, oldest first", (200, "A page"), (400, 404), query=PAGE
    )
    def get_events(lab_id: str) -> Response:
        page = params.read_page(context.query)
        lab, found = queries.history(context.deps, context.caller, lab_id, page.limit, page.cursor)
        events = [to_json(event) for event in found.items]
        return json_answer({"events": events, "timeZone": lab.spec.schedule.time_zone, "cursor": found.cursor})

    @context.route(
        "GET",
        f"{_LAB}/kubeconfig",
        "Get the kubeconfig, without a secret",
        (200, "YAML, or JSON"),
        (404, 409),
        media=_YAML,
    )
    def get_kubeconfig(lab_id: str) -> Response:
        document = queries.kubeconfig_of(context.deps, context.caller, lab_id)
        if "json" in (context.header("accept") or ""):
            return json_answer(document)
        import yaml

        return Response(yaml.safe_dump(document, sort_keys=False), headers={"Content-Type": _YAML})

    @context.route("GET", f"{_LAB}/inventory", "Get the lab's parts", (200, "The parts"), (404,))
    def get_inventory(lab_id: str) -> Response:
        deps = context.deps
        found = inventory.inventory(deps, context.caller, lab_id)
        return json_answer(labs.inventory_view(found, deps.clock.now()))

    @context.route(
        "POST",
        f"{_LAB}/leftovers",
        "Confirm that unproved leftovers stay",
        (200, "All checks"),
        (400, 404, 409, 422),
        body="Leftovers",
        answer="Receipt",
    )
    def post_leftovers(lab_id: str) -> Response:
        deps, caller = context.deps, context.caller
        commands.own_lab(deps, caller, lab_id)
        arns = params.read_arns_to_keep(context.body, context.header("content-type"))
        kept = leftovers.keep_leftovers(deps, caller, lab_id, arns, deps.clock.now())
        logger.info("Leftovers were settled.", extra={"lab_id": lab_id, "caller": caller.arn, "count": len(arns)})
        return json_answer(labs.receipt_view(kept, deps.clock.now()))

    @context.route(
        "POST",
        "/orphans/{account}/{region}/{name}/adopt",
        "Adopt a cluster without a record as a lab (administrators)",
        (201, "The lab"),
        (400, 404, 409),
    )
    def post_adopt(account: str, region: str, name: str) -> Response:
        deps, caller = context.deps, context.caller
        now = deps.clock.now()
        lab = adoption.adopt(deps, caller, Place(account, region), name, now)
        logger.info("A cluster was adopted.", extra={"lab_id": lab.id, "caller": caller.arn})
        return json_answer(labs.lab_in_list(lab, context.base, now), 201, {"Location": f"{context.base}/labs/{lab.id}"})

    @context.route(
        "GET",
        f"{_LAB}/receipt",
        "Get the receipt: the outcome of every ARN",
        (200, "All checks"),
        (404,),
        answer="Receipt",
    )
    def get_receipt(lab_id: str) -> Response:
        found = queries.receipt(context.deps, context.caller, lab_id)
        return json_answer(labs.receipt_view(found, context.deps.clock.now()))


def _requested(context: RequestContext, answer: Accepted, calendar: Calendar, now: datetime) -> Response:
    ahead = lease.coming(context.deps, answer.lab, calendar, now)
    return _answer_accepted(context, answer, labs.requested(answer.lab, answer.findings, ahead, context.base, now))


def _accepted(context: RequestContext, answer: Accepted) -> Response:
    return _answer_accepted(context, answer, labs.answered(answer, context.base, context.deps.clock.now()))


def _answer_accepted(context: RequestContext, answer: Accepted, body: dict[str, Any]) -> Response:
    facts = {"lab_id": answer.lab.id, "phase": str(answer.lab.phase), "caller": context.caller.arn}
    logger.info("A request was accepted.", extra={**facts, "warnings": [finding.code for finding in answer.findings]})
    return json_answer(body, 202, {"Location": body["links"]["self"]})
