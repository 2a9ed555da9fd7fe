"""The routes of the registry: the accounts that are watched and take labs. Everyone may see the places, administrators all of it;
only they change it.
"""

from __future__ import annotations

from chalice import Response

from chalicelib.api.context import RequestContext, json_answer
from chalicelib.api.inputs import cluster_params
from chalicelib.api.views import clusters
from chalicelib.logs import logger
from chalicelib.services.support import accounts


def route_accounts(context: RequestContext) -> None:
    """Register the routes."""

    @context.route("GET", "/accounts", "List the registered accounts", (200, "All accounts"))
    def get_accounts() -> Response:
        found = [clusters.registration_view(one, context.caller) for one in accounts.all_registered(context.deps)]
        return json_answer({"accounts": found})

    @context.route("GET", "/accounts/{account}", "Get one registered account", (200, "The account"), (404,))
    def get_account(account: str) -> Response:
        known = accounts.registered(context.deps, account)
        return json_answer(clusters.registration_view(known, context.caller))

    @context.route(
        "PUT",
        "/accounts/{account}",
        "Register an account (administrators)",
        (200, "Stored"),
        (400, 409),
        body="Account",
    )
    def put_account(account: str) -> Response:
        accounts.refuse_others(context.caller)
        asked = cluster_params.read_registration(account, context.body, context.header("content-type"))
        kept = accounts.register(context.deps, context.caller, asked)
        logger.info("An account was registered.", extra={"account": account, "caller": context.caller.arn})
        return json_answer(clusters.registration_view(kept, context.caller))

    @context.route(
        "DELETE",
        "/accounts/{account}",
        "Unregister an account without labs (administrators)",
        (204, "Unregistered"),
        (409,),
    )
    def delete_account(account: str) -> Response:
        accounts.unregister(context.deps, context.caller, account)
        logger.info("An account was unregistered.", extra={"account": account, "caller": context.caller.arn})
        return Response("", status_code=204, headers={"Content-Type": "application/json"})
