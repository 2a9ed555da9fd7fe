"""The HTTP routes: translate, delegate, present. Every route but the keep-link's asks for AWS Signature Version 4."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from chalice import Blueprint, Response

from chalicelib.api.context import Door, json_answer
from chalicelib.api.inputs import params
from chalicelib.api.inputs.lab_request import complete_request, read_draft
from chalicelib.api.routes.accounts import route_accounts
from chalicelib.api.routes.clusters import route_clusters
from chalicelib.api.routes.curfew import route_curfew
from chalicelib.api.routes.health import route_health
from chalicelib.api.routes.keep import route_keeping
from chalicelib.api.routes.lease import route_evenings
from chalicelib.api.views import labs
from chalicelib.api.views.json_format import to_json
from chalicelib.domain.identity.people import People
from chalicelib.domain.requests.schedule_input import EveningRules
from chalicelib.logs import logger
from chalicelib.ports.deps import Deps
from chalicelib.services.labs import commands, inventory, queries
from chalicelib.services.labs.transitions import Answered

_YAML = "application/yaml"


def make_blueprint(get_deps: Callable[[], Deps], get_people: Callable[[], People]) -> Blueprint:
    """The routes over a world, and over people, that are built when the first request comes."""
    routes = Blueprint(__name__)
    door = Door(routes, get_deps, get_people)
    _route_labs(door)
    _route_one_lab(door)
    _route_looks(door)
    route_clusters(door)
    route_accounts(door)
    route_evenings(door)
    route_curfew(door)
    route_keeping(door)
    route_health(door)
    return routes


def _route_labs(door: Door) -> None:
    @door.route("POST", "/labs")
    def post_lab() -> Response:
        deps, caller, now = door.deps, door.caller, door.deps.clock.now()
        key, digest = params.read_key(door.header("idempotency-key")), hashlib.sha256(door.body).hexdigest()
        before = commands.requested_before(deps, caller, key, digest, now)
        if before is not None:
            return _accepted(door, before)
        request = read_draft(door.body, door.header("content-type"))
        accounts = deps.lab_accounts()
        calendar = queries.versions(deps, request.region(deps.limits, accounts))
        evenings = EveningRules(deps.curfew.evening, deps.curfew.is_known_country)
        spec, findings = complete_request(request, calendar, caller, deps.limits, now, evenings, accounts)
        asking = commands.Asking(spec, findings, request.in_callers_words, request.draft.account)
        return _accepted(door, commands.request_lab(deps, caller, asking, key, digest, now))

    @door.route("GET", "/labs")
    def get_labs() -> Response:
        asked = params.read_list(door.query)
        limit, cursor = asked.page.limit, asked.page.cursor
        page = queries.list_labs(door.deps, door.caller, asked.owner, asked.phases, limit, cursor)
        return json_answer({"labs": [labs.lab_in_list(lab, door.base) for lab in page.items], "cursor": page.cursor})

    @door.route("GET", "/versions")
    def get_versions() -> Response:
        deps, region = door.deps, params.read_region(door.query)
        calendar = queries.versions(deps, region)
        return json_answer(labs.calendar_view(calendar, region or deps.limits.default_region, deps.clock.now()))


def _route_one_lab(door: Door) -> None:
    @door.route("GET", "/labs/{lab_id}")
    def get_lab(lab_id: str) -> Response:
        deps = door.deps
        return json_answer(labs.lab_view(queries.get_lab(deps, door.caller, lab_id, deps.clock.now()), door.base))

    @door.route("PATCH", "/labs/{lab_id}")
    def patch_lab(lab_id: str) -> Response:
        deps, caller = door.deps, door.caller
        commands.own_lab(deps, caller, lab_id)
        change = params.read_change(door.body, door.header("content-type"))
        return _accepted(door, commands.change_lab(deps, caller, lab_id, change, deps.clock.now()))

    @door.route("DELETE", "/labs/{lab_id}")
    def delete_lab(lab_id: str) -> Response:
        deps = door.deps
        return _accepted(door, commands.release_lab(deps, door.caller, lab_id, deps.clock.now()))


def _route_looks(door: Door) -> None:
    @door.route("GET", "/labs/{lab_id}/events")
    def get_events(lab_id: str) -> Response:
        page = params.read_page(door.query)
        found = queries.history(door.deps, door.caller, lab_id, page.limit, page.cursor)
        return json_answer({"events": [to_json(event) for event in found.items], "cursor": found.cursor})

    @door.route("GET", "/labs/{lab_id}/kubeconfig")
    def get_kubeconfig(lab_id: str) -> Response:
        document = queries.kubeconfig_of(door.deps, door.caller, lab_id)
        import yaml

        return Response(yaml.safe_dump(document, sort_keys=False), headers={"Content-Type": _YAML})

    @door.route("GET", "/labs/{lab_id}/inventory")
    def get_inventory(lab_id: str) -> Response:
        deps = door.deps
        found = inventory.inventory(deps, door.caller, lab_id)
        return json_answer(labs.inventory_view(found, deps.clock.now()))

    @door.route("GET", "/labs/{lab_id}/receipt")
    def get_receipt(lab_id: str) -> Response:
        return json_answer(labs.receipt_view(queries.receipt(door.deps, door.caller, lab_id)))


def _accepted(door: Door, answer: Answered) -> Response:
    body = labs.answered(answer, door.base)
    facts = {"lab_id": answer.lab.id, "phase": str(answer.lab.phase), "caller": door.caller.arn}
    logger.info("A request was accepted.", extra={**facts, "warnings": [finding.code for finding in answer.findings]})
    return json_answer(body, 202, {"Location": body["links"]["self"]})
