"""The one table from errors to HTTP, as `application/problem+json` (RFC 9457), and the decorator that applies it to a view."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from chalice.app import ChaliceViewError, Response

from chalicelib.api.views.json_format import to_json
from chalicelib.domain.core.sentence import Sentence, joined, reason_of
from chalicelib.domain.errors import tree
from chalicelib.domain.errors.findings import Level
from chalicelib.logs import logger

View = TypeVar("View", bound=Callable[..., Any])

#: class -> (status, type, title). The first match decides.
TABLE: tuple[tuple[type[tree.EkslabError], int, str, str], ...] = (
    (tree.InvalidRequest, 400, "invalid-request", Sentence("The request has fields that are wrong")),
    (tree.LabNotFound, 404, "lab-not-found", Sentence("There is no such lab")),
    (tree.NoReceiptYet, 404, "no-receipt-yet", Sentence("There is no receipt yet")),
    (tree.NameTaken, 409, "name-taken", Sentence("The name is taken")),
    (tree.TooManyLabs, 409, "too-many-labs", Sentence("You have as many labs as you may have")),
    (tree.OverBudget, 403, "over-budget", Sentence("It costs more than it may")),
    (tree.WrongPhase, 409, "wrong-phase", Sentence("Not while the lab is like this")),
    (tree.ClusterNotWatched, 404, "cluster-not-watched", Sentence("There is no such cluster among those watched")),
    (tree.AccountNotRegistered, 404, "account-not-registered", Sentence("There is no such account in the registry")),
    (tree.AccountInUse, 409, "account-in-use", Sentence("Labs live in the account")),
    (tree.NotYours, 403, "not-yours", Sentence("It is for others to change")),
    (tree.LoginRefused, 400, "login-refused", Sentence("You are not signed in")),
    (tree.NothingAhead, 409, "nothing-ahead", Sentence("There is no deadline ahead")),
    (tree.PolicyNotAllowed, 409, "policy-not-allowed", Sentence("The support policy can't be changed as things stand")),
    (tree.AddressPending, 409, "address-pending", Sentence("The address waits for somebody else")),
    (tree.AddressRefused, 409, "address-refused", Sentence("The address is not yours")),
    (tree.AskedTooOften, 429, "asked-too-often", Sentence("Asked too often")),
    (tree.NoPlan, 404, "no-plan", Sentence("Nothing was planned for that night")),
    (tree.PlanChanged, 409, "plan-changed", Sentence("The plan is another one")),
    (tree.LinkInvalid, 404, "link-invalid", Sentence("There is no such link")),
    (tree.LinkExpired, 410, "link-expired", Sentence("The link has expired")),
    (tree.LinkBusy, 429, "link-busy", Sentence("The link is used too often")),
    (tree.NotKept, 409, "not-kept", Sentence("It can't be kept")),
    (tree.NotProved, 409, "not-proved", Sentence("Nothing proves that this service made it")),
    (tree.UnknownLeftover, 422, "unknown-leftover", Sentence("The receipt has no such line to settle")),
    (tree.StaleLab, 409, "busy-lab", Sentence("Others are changing the same record; try again")),
    (
        tree.IdempotencyConflict,
        422,
        "idempotency-conflict",
        Sentence("The Idempotency-Key was used with another request"),
    ),
    (tree.Transient, 503, "try-again", Sentence("AWS did not answer as it should; try again")),
    (tree.AwsRefused, 502, "aws-refused", Sentence("AWS refused what this service asked of it")),
)
#: Seconds that a client should wait before it tries again after a 429 or 503.
_RETRY_AFTER = "5"


def answers_problems(view: View) -> View:
    """Turn every error of a view into a problem. Errors outside the error tree are logged, and answered without details."""

    @functools.wraps(view)
    def answering(*args: Any, **kwargs: Any) -> Any:
        try:
            return view(*args, **kwargs)
        except ChaliceViewError:
            raise
        except tree.EkslabError as error:
            return _response(error)
        except Exception as error:  # noqa: BLE001  # The last resort: logged whole, answered without details.
            logger.exception("A view failed unexpectedly.", extra={"error": type(error).__name__})
            return problem(
                500, "unexpected", Sentence("Something went wrong here"), Sentence("It was logged; it is ours to fix.")
            )

    return cast("View", answering)


def problem(status: int, kind: str, title: str, detail: str, more: Mapping[str, Any] | None = None) -> Response:
    """A problem document, not yet translated."""
    body = {"type": f"urn:ekslab:problem:{kind}", "title": title, "status": status, "detail": detail, **(more or {})}
    headers = {"Content-Type": "application/problem+json"}
    if status in (429, 503):
        headers["Retry-After"] = _RETRY_AFTER
    return Response(body=body, status_code=status, headers=headers)


def explained(error: tree.EkslabError) -> tuple[int, str, str]:
    """Status, title and detail of an error for its problem document; errors of AWS and of our own are logged."""
    status, _, title, detail = _explained(error)
    return status, title, detail


def _response(error: tree.EkslabError) -> Response:
    status, word, title, detail = _explained(error)
    return problem(status, word, title, detail, _members(error))


def _explained(error: tree.EkslabError) -> tuple[int, str, str, str]:
    for kind, status, word, title in TABLE:
        if isinstance(error, kind):
            if status >= 500:
                logger.warning("A request failed on AWS.", extra={"error": type(error).__name__, "reason": str(error)})
            return status, word, title, _detail(error, status)
    logger.error("An error without an HTTP status.", extra={"error": type(error).__name__, "reason": str(error)})
    return 500, "unexpected", Sentence("Something went wrong here"), Sentence("It was logged; it is ours to fix.")


def _detail(error: tree.EkslabError, status: int) -> str:
    if isinstance(error, tree.InvalidRequest):
        count = len(error.findings)
        message = Sentence(
            "{n} finding, with its field, what is wrong, and what would be right.",
            "{n} findings, each with its field, what is wrong, and what would be right.",
            n=count,
        )
        more = Sentence("The first {most} are told.", most=error.most) if count > error.most else ""
        return joined((message, more, error.note))
    if isinstance(error, tree.AwsRefused):
        return Sentence(
            "{operation} was refused with {code}. It was logged; it is ours to fix.",
            operation=error.operation,
            code=error.code,
        )
    return (
        Sentence("It is not your request; nothing was changed that a second try would double.")
        if status == 503
        else reason_of(error)
    )


def _members(error: tree.EkslabError) -> Mapping[str, Any]:
    match error:
        case tree.InvalidRequest(findings=findings, most=most):
            worst_first = sorted(findings, key=lambda finding: finding.severity is not Level.ERROR)
            shown = findings if len(findings) <= most else worst_first[:most]
            return {"findings": [to_json(finding) for finding in shown]}
        case tree.OverBudget(findings=findings):
            sums = {"usd": error.asked, "ceilingUsd": error.most, "usedUsd": error.there}
            amounts = {name: round(micro / 1_000_000, 2) for name, micro in sums.items()}
            whose = {"scope": str(error.scope), "month": error.month or None, "atLeast": error.at_least}
            return {**amounts, **whose, "findings": [to_json(finding) for finding in findings[: tree.MOST_FINDINGS]]}
        case tree.NameTaken(name=name, lab_id=lab_id):
            return {"name": name, "labId": lab_id}
        case tree.WrongPhase(lab_id=lab_id, phase=phase):
            return {"labId": lab_id, "phase": str(phase)}
        case tree.LabNotFound(lab_id=lab_id) | tree.NoReceiptYet(lab_id=lab_id):
            return {"labId": lab_id}
    return {}
