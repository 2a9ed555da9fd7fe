"""Turns AWS error codes and messages into a Failure: an explanation, a remedy, and the responsible party.

Called by the runner of steps for refusals and by workflow steps for health issues and failed stacks. Never raises: an unknown
error is `unexplained`, with AWS's own words as the cause.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from chalicelib.domain.core.deferred import pattern
from chalicelib.domain.core.failure import Failure, HealthIssue
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors import tree

if TYPE_CHECKING:
    from chalicelib.domain.errors.failure_causes import Cause

_ZONE = pattern(r"\b[a-z]{2}(?:-[a-z]+)+-\d[a-z]\b")
_TYPE = pattern(r"\b[a-z]+\d[a-z0-9-]*\.(?:nano|micro|small|medium|large|\d*xlarge|metal[a-z0-9-]*)\b")
_PERMISSION = pattern(r"(?:to perform:?|do not have permission to call) ([a-z0-9-]+:[A-Za-z]+)")
#: The form in which our errors quote AWS's answer: `eks:UpdateClusterConfig: ResourceInUseException: ...`.
_ANSWER = pattern(r"^\S+: ([\w.]+): ")
#: The code of the cause of all unknown errors (`failure_causes.UNKNOWN`).
_UNEXPLAINED = "unexplained"
#: The most of AWS's own words that a sentence quotes; all of them are the failure's `cause`.
_QUOTED = 300


def explain(code: str, message: str) -> Failure:
    """Explain an AWS error code with its message. The message takes precedence over the code."""
    words = f"{code}: {message}" if code else message
    return _failure(_cause(words, code), words)


def explain_issue(issue: HealthIssue) -> Failure:
    """Explain a health issue of a cluster, node group or add-on. AccessDenied is Kubernetes's there, not IAM's."""
    words = f"{issue.code}: {issue.message}" if issue.code else issue.message
    return _failure(_cause(words, f"issue {issue.code}", issue.code), words)


def explain_issues(issues: Sequence[HealthIssue], otherwise: str) -> Failure:
    """Explain the first known issue, else the first; without any, `otherwise` is AWS's words."""
    failures = [explain_issue(issue) for issue in issues] or [explain("", otherwise)]
    return next((failure for failure in failures if failure.code != _UNEXPLAINED), failures[0])


def explain_stack(reason: str | None) -> Failure:
    """Explain the reason that CloudFormation gives for the first resource that failed."""
    return explain("", reason or "CloudFormation gives no reason.")


def explain_timeout(what: str, minutes: int) -> Failure:
    """Explain a resource that was not ready within the minutes we wait."""
    return explain("Timeout", f"{what} was not ready after {minutes} minutes.")


def explain_execution(failure: object) -> Failure:
    """Explain the error of a state machine's Catch, if there is one: `Error` and `Cause`, a Lambda's error as JSON or words."""
    error, message = _caught(failure if isinstance(failure, Mapping) else {})
    if error == "States.Timeout":
        return explain("Timeout", message or "A step did not answer in time.")
    return _explain_error(error, message)


def words_of(failure: Mapping[str, object]) -> str:
    """The words of an error of ours that a state machine's Catch has; the error's name for others, such as a timeout."""
    error, message = _caught(failure)
    ours = getattr(tree, error, None)
    return message if message and isinstance(ours, type) and issubclass(ours, tree.EkslabError) else error


def _caught(failure: Mapping[str, object]) -> tuple[str, str]:
    """The name of the error, and its message."""
    error, cause = str(failure.get("Error", "")), str(failure.get("Cause", ""))
    try:
        text = json.loads(cause)
    except ValueError:
        text = None
    return error, str(text.get("errorMessage", cause)) if isinstance(text, dict) else cause


def _explain_error(error: str, message: str) -> Failure:
    """Explain one of our errors whose retries failed: by the AWS code in it, else by its own name."""
    answer, words = _ANSWER.match(message), f"{error}: {message}"
    return _failure(_cause(words, answer[1] if answer else "", error), words)


def _cause(words: str, *codes: str) -> Cause:
    """The cause of the words, else of the first known code. Most starts explain nothing and need no tables."""
    from chalicelib.domain.errors.aws_error_patterns import BY_CODE, BY_FORM, BY_WORDS
    from chalicelib.domain.errors.failure_causes import UNKNOWN

    by_words = (cause for pattern, cause in BY_WORDS if re.search(pattern, words))
    by_code = (BY_CODE[code] for code in codes if code in BY_CODE)
    by_form = (cause for code in codes for pattern, cause in BY_FORM if re.fullmatch(pattern, code))
    return next(by_words, None) or next(by_code, None) or next(by_form, UNKNOWN)


def _failure(cause: Cause, words: str) -> Failure:
    slots = {name: fill(words) for name, fill in _FILLS.items() if f"{{{name}}}" in cause.sentence.message}
    return Failure(cause.code, cause.sentence.with_slots(**slots), cause.responsible, words)


def _zones(words: str) -> str:
    """The zones that AWS offers instead, if any, else those that it names."""
    return ", ".join(dict.fromkeys(_ZONE.findall(words.rpartition("availability zones:")[2] or words)))


def _in_zones(words: str) -> str:
    zones = _zones(words)
    return Sentence(" in {zones}", zones=zones) if zones else Sentence(" in these zones")


def _quoted(words: str) -> str:
    """AWS's words as the end of a sentence."""
    short = words if len(words) <= _QUOTED else f"{words[:_QUOTED].rstrip()}…"
    return short if short.endswith((".", "…")) else f"{short}."


def _first(pattern: re.Pattern[str], otherwise: str) -> Callable[[str], str]:
    def fill(words: str) -> str:
        found = pattern.search(words)
        return found.group(found.re.groups) if found else otherwise

    return fill


#: The slots of `failure_causes.py`'s sentences, filled from AWS's words.
_FILLS: Mapping[str, Callable[[str], str]] = {
    "zones": lambda words: _zones(words) or Sentence("see AWS's words"),
    "in_zones": _in_zones,
    "type": _first(_TYPE, Sentence("this instance type")),
    "permission": _first(_PERMISSION, Sentence("what this needs")),
    "words": _quoted,
}
