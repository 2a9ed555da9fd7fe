"""The context of a request for its view, and the registration of views: signatures, errors as problems."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from chalice import Blueprint, IAMAuthorizer, Response

from chalicelib.api.caller import caller_of, signer_of, source_ip
from chalicelib.api.problems import answers_problems
from chalicelib.api.views.json_format import in_language
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Words, sentence
from chalicelib.domain.errors.tree import NotYours
from chalicelib.domain.identity.callers import Caller, Team
from chalicelib.domain.identity.people import People
from chalicelib.ports.deps import Deps
from chalicelib.words.catalogues import preferred, words_of

View = Callable[..., Response]

#: Accepted media types of a body; its content decides between JSON and YAML if the type does not. The last is the type that
#: `curl --data-binary @cluster.yaml` sends for every file.
BODY_TYPES = [
    "application/json",
    "application/yaml",
    "application/x-yaml",
    "text/yaml",
    "text/x-yaml",
    "text/plain",
    "application/x-www-form-urlencoded",
]


#: The query parameters of every paged list.
PAGE = ("limit", "cursor")


@dataclass(frozen=True)
class Operation:
    """One method of one path. `refusals`: statuses beside those that every operation has (403, 502, 503).

    `query` names parameters, or pairs a parameter with the name of its schema; `headers` names those that the view reads.
    `body` and `answer` name schemas; `media` and `other_media`: types of the answer; `also`: other successes beside the usual
    one. `viewers`: viewers may send it, too; `types`: media types of the body beside BODY_TYPES. `public`: no signature is
    needed. A public view has no caller: its path must be proof enough.
    """

    method: str
    path: str
    summary: str
    success: tuple[int, str]
    refusals: tuple[int, ...] = ()
    body: str | None = None
    query: tuple[str | tuple[str, str], ...] = ()
    headers: tuple[str, ...] = ()
    media: str = "application/json"
    other_media: tuple[str, ...] = ()
    answer: str = ""
    also: tuple[tuple[int, str], ...] = ()
    public: bool = False
    viewers: bool = False
    types: tuple[str, ...] = ()


if TYPE_CHECKING:

    class Described(TypedDict, total=False):
        """The fields of an Operation that have defaults."""

        body: str
        query: tuple[str | tuple[str, str], ...]
        headers: tuple[str, ...]
        media: str
        other_media: tuple[str, ...]
        answer: str
        also: tuple[tuple[int, str], ...]
        public: bool
        viewers: bool
        types: tuple[str, ...]


class RequestContext:
    """The context of the present request, for its view."""

    def __init__(self, routes: Blueprint, get_deps: Callable[[], Deps], get_people: Callable[[], People]) -> None:
        self.routes, self._get_people = routes, get_people
        self._get_deps = get_deps
        self._authorizer = IAMAuthorizer()
        self._described: list[tuple[tuple[str, str, str, tuple[int, str], tuple[int, ...]], Described]] = []

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The descriptions of the registered routes, as sentences."""
        described = (Operation(*route, **more) for route, more in self._described)
        return tuple(
            replace(
                each, summary=sentence(each.summary), success=_said(each.success), also=tuple(map(_said, each.also))
            )
            for each in described
        )

    @property
    def deps(self) -> Deps:
        return self._get_deps()

    @property
    def caller(self) -> Caller:
        return caller_of(self.routes.current_request, self._get_people())

    @property
    def teams(self) -> tuple[Team, ...]:
        """All teams of this installation."""
        return self._get_people().teams

    @property
    def signer(self) -> tuple[str, str, str | None]:
        """ARN, account and role id of the signer."""
        return signer_of(self.routes.current_request)

    def caller_as(self, arn: str, account: str, role_id: str | None) -> Caller | None:
        """The present caller for this ARN; None for one of another account."""
        return self._get_people().caller(arn, account, source_ip(self.routes.current_request), role_id)

    @property
    def people(self) -> People:
        return self._get_people()

    @property
    def query(self) -> Mapping[str, str]:
        """The query parameters; a repeated one becomes a comma-separated list."""
        given = self.routes.current_request.query_params
        return {name: ",".join(given.getlist(name)) for name in given} if given else {}

    @property
    def body(self) -> bytes:
        return bytes(self.routes.current_request.raw_body)

    def header(self, name: str) -> str | None:
        value = self.routes.current_request.headers.get(name)
        return None if value is None else str(value)

    @property
    def words(self) -> Words:
        """The language that the request asks for by `Accept-Language`."""
        return words_of(preferred(self.header("accept-language")))

    @property
    def path(self) -> str:
        """The path as the client wrote it, with the stage."""
        context = self.routes.current_request.context
        return str(context.get("path") or context["resourcePath"])

    @property
    def below(self) -> str:
        """The value of a greedy `{path+}`; empty for a route without one."""
        return str((self.routes.current_request.uri_params or {}).get("path", ""))

    @property
    def base(self) -> str:
        """The path before the resource's own, with the stage: the beginning of links."""
        head = str(self.routes.current_request.context["resourcePath"]).split("/")[1]
        return self.path.partition(f"/{head}")[0]

    @property
    def public_url(self) -> str:
        """The beginning of links in mails: as deployed, else from API Gateway's facts of this request; else ""."""
        domain = self.routes.current_request.context.get("domainName")
        return self.deps.watch.api_url or (f"https://{domain}{self.base}" if domain else "")

    def route(
        self,
        method: str,
        path: str,
        summary: str,
        success: tuple[int, str],
        refusals: tuple[int, ...] = (),
        **more: Unpack[Described],
    ) -> Callable[[View], View]:
        """Register a view for one method of a path, with its errors as problems, and describe it for the OpenAPI document."""
        self._described.append(((method, path, summary, success, refusals), more))
        public, types = more.get("public"), more.get("types", ())
        changes = method != "GET" and not more.get("viewers")

        def register(view: View) -> View:
            guard = {} if public else {"authorizer": self._authorizer}
            bodies = {"content_types": [*BODY_TYPES, *types]} if method in ("POST", "PATCH", "PUT") else {}
            answering = self._speaking(answers_problems(view if public else self._admitting(view, changes)))
            self.routes.route(path, methods=[method], **guard, **bodies)(answering)
            return answering

        return register

    def _speaking(self, view: View) -> View:
        """The view, with its JSON in the requested language."""

        @functools.wraps(view)
        def speaking(*args: str, **kwargs: str) -> Response:
            answer = view(*args, **kwargs)
            if isinstance(answer.body, Mapping):
                answer.body = json.dumps(in_language(answer.body, self.words))
            return answer

        return speaking

    def _admitting(self, view: View, changes: bool) -> View:
        """The view, refused to callers without a role here, and to viewers if it changes something."""

        @functools.wraps(view)
        def admitting(*args: str, **kwargs: str) -> Response:
            if self.caller.is_viewer and changes:
                raise NotYours("Viewers look at everything and change nothing.")
            return view(*args, **kwargs)

        return admitting


def _said(answer: tuple[int, str]) -> tuple[int, str]:
    return answer[0], sentence(answer[1])


def json_answer(body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer, not yet translated."""
    return Response(body, status_code=status, headers={"Content-Type": "application/json", **(headers or {})})
