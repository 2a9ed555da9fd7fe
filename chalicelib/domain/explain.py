"""Why something failed, in words with a remedy and whose it is to fix: AWS's codes and messages become a Failure.

Called by running.py for refusals and by workflow steps for health issues and failed stacks. Never raises: what it has
no words for is `unexplained`, with AWS's own words as the cause.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from chalicelib.domain.aws_words import BY_CODE, BY_WORDS
from chalicelib.domain.causes import UNKNOWN, Cause
from chalicelib.domain.failures import Failure
from chalicelib.domain.world import HealthIssue

_ZONE = re.compile(r"\b[a-z]{2}(?:-[a-z]+)+-\d[a-z]\b")


def explain(code: str, message: str) -> Failure:
    """Explain an AWS error code with its message. What the message says beats the code."""
    words = f"{code}: {message}" if code else message
    return _failure(_by_words(words) or BY_CODE.get(code) or UNKNOWN, words)


def explain_issue(issue: HealthIssue) -> Failure:
    """Explain a health issue of a cluster, node group or add-on."""
    return explain(issue.code, issue.message)


def explain_issues(issues: Sequence[HealthIssue], otherwise: str) -> Failure:
    """Explain the first issue that we have words for, else the first; without any, `otherwise` is AWS's words."""
    failures = [explain_issue(issue) for issue in issues] or [explain("", otherwise)]
    return next((failure for failure in failures if failure.code != UNKNOWN.code), failures[0])


def explain_stack(reason: str | None) -> Failure:
    """Explain the reason that CloudFormation gives for the first resource that failed."""
    return explain("", reason or "CloudFormation gives no reason.")


def explain_timeout(what: str, minutes: int) -> Failure:
    """Explain that something was not ready within the minutes we wait."""
    return explain("Timeout", f"{what} was not ready after {minutes} minutes.")


def explain_execution(failure: Mapping[str, object]) -> Failure:
    """Explain what a state machine's Catch got: `Error` and `Cause`, the latter a Lambda's error as JSON or plain words."""
    error, cause = str(failure.get("Error", "")), str(failure.get("Cause", ""))
    try:
        told = json.loads(cause)
    except ValueError:
        told = None
    message = str(told.get("errorMessage", cause)) if isinstance(told, dict) else cause
    if error == "States.Timeout":
        return explain("Timeout", message or "A step did not answer in time.")
    return explain(error, message)


def _by_words(words: str) -> Cause | None:
    return next((cause for pattern, cause in BY_WORDS if re.search(pattern, words)), None)


def _failure(cause: Cause, words: str) -> Failure:
    offered = words.rpartition("availability zones:")[2] or words
    zones = ", ".join(dict.fromkeys(_ZONE.findall(offered))) or "see AWS's words"
    return Failure(cause.code, cause.sentence.replace("{zones}", zones), cause.blame, words)
