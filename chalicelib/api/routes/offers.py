"""Routes for the list of offered resources. Everyone may read it; administrators change it."""

from __future__ import annotations

from chalice import Response

from chalicelib.api.context import RequestContext, json_answer
from chalicelib.api.inputs.offer_params import read_offers
from chalicelib.api.views.offers import offers_view
from chalicelib.logs import logger
from chalicelib.services.labs import offers


def route_offers(context: RequestContext) -> None:
    """Register the routes."""

    @context.route("GET", "/offers", "Get the list of offers", (200, "The list"))
    def get_offers() -> Response:
        return json_answer(offers_view(offers.get_offers(context.deps, context.caller), context.caller))

    @context.route(
        "PUT", "/offers", "Change the list of offers (administrators)", (200, "The list"), (400,), body="Offers"
    )
    def put_offers() -> Response:
        deps, caller = context.deps, context.caller
        offers.refuse_others(caller)
        asked = read_offers(context.body, context.header("content-type"))
        changed = offers.set_offers(deps, caller, asked, deps.clock.now())
        logger.info("The list of offers was changed.", extra={"caller": caller.arn})
        return json_answer(offers_view(changed, caller))
