"""The routes over the registry: which accounts are watched, and which take labs. Everyone may see where, administrators all of it;
they alone change it.
"""

from __future__ import annotations

from chalice import Response

from chalicelib.api.context import Door, json_answer
from chalicelib.api.inputs import cluster_params
from chalicelib.api.views import clusters
from chalicelib.logs import logger
from chalicelib.services.support import accounts


def route_accounts(door: Door) -> None:
    """Register them all."""

    @door.route("GET", "/accounts")
    def get_accounts() -> Response:
        found = [clusters.registration_view(one, door.caller) for one in accounts.all_registered(door.deps)]
        return json_answer({"accounts": found})

    @door.route("GET", "/accounts/{account}")
    def get_account(account: str) -> Response:
        known = accounts.registered(door.deps, account)
        return json_answer(clusters.registration_view(known, door.caller))

    @door.route("PUT", "/accounts/{account}")
    def put_account(account: str) -> Response:
        accounts.refuse_others(door.caller)
        asked = cluster_params.read_registration(account, door.body, door.header("content-type"))
        kept = accounts.register(door.deps, door.caller, asked)
        logger.info("An account was registered.", extra={"account": account, "caller": door.caller.arn})
        return json_answer(clusters.registration_view(kept, door.caller))

    @door.route("DELETE", "/accounts/{account}")
    def delete_account(account: str) -> Response:
        accounts.unregister(door.deps, door.caller, account)
        logger.info("An account was unregistered.", extra={"account": account, "caller": door.caller.arn})
        return Response("", status_code=204, headers={"Content-Type": "application/json"})
