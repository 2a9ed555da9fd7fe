"""The routes over the registry: which accounts are watched. Everyone may look, administrators change."""

from __future__ import annotations

from chalice import Response

from chalicelib import clusters_registry
from chalicelib.api import cluster_presenters, cluster_queries
from chalicelib.api.door import Door, json_answer
from chalicelib.logs import logger


def route_registrations(door: Door) -> None:
    """Register them all."""

    @door.route("GET", "/registrations")
    def get_registrations() -> Response:
        found = [cluster_presenters.registration_view(one) for one in door.deps.watch.registered()]
        return json_answer({"registrations": found})

    @door.route("PUT", "/registrations/{account}")
    def put_registration(account: str) -> Response:
        asked = cluster_queries.read_registration(account, door.body, door.header("content-type"))
        kept = clusters_registry.register(door.deps, door.caller, asked)
        logger.info("An account was registered.", extra={"account": account, "caller": door.caller.arn})
        return json_answer(cluster_presenters.registration_view(kept))

    @door.route("DELETE", "/registrations/{account}")
    def delete_registration(account: str) -> Response:
        clusters_registry.unregister(door.deps, door.caller, account)
        logger.info("An account was unregistered.", extra={"account": account, "caller": door.caller.arn})
        return Response("", status_code=204, headers={"Content-Type": "application/json"})
