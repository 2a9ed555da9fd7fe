"""The routes behind the buttons of mails: the link is the proof, so that none needs a signature. GET shows, POST acts."""

from __future__ import annotations

from chalicelib.api.context import RequestContext
from chalicelib.api.routes.keep import LINK_REFUSALS, link_route
from chalicelib.api.views.mail_links import mail_link_page, mail_link_view
from chalicelib.logs import logger
from chalicelib.services.support.mail_links import MailLinkView, act_on_mail_link, look_at_mail_link

_PATH = "/mail/{action}/{token}"


def route_mail_links(context: RequestContext) -> None:
    """Register both."""

    @link_route(
        context,
        "GET",
        _PATH,
        "Show the effect of a mail's button (acknowledge, snooze)",
        LINK_REFUSALS,
        mail_link_view,
        mail_link_page,
    )
    def get_mail(action: str, token: str) -> MailLinkView:
        return look_at_mail_link(context.deps, action, token, context.deps.clock.now())

    @link_route(context, "POST", _PATH, "Carry out the button's action", LINK_REFUSALS, mail_link_view, mail_link_page)
    def post_mail(action: str, token: str) -> MailLinkView:
        view = act_on_mail_link(context.deps, action, token, context.deps.clock.now())
        logger.info("A button of a mail was pressed.", extra={"action": str(view.action), "about": view.name})
        return view
