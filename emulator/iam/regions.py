"""Regions that an account has not opted in to or that do not exist: credentials are invalid there.

Sources: AWS Account Management reference, "Enable or disable AWS Regions" (those of before 20 March 2019 are always on); the
errors that users report from the others: UnrecognizedClientException, InvalidClientTokenId, EC2's AuthFailure (aws/chalice#1445,
segmentio/aws-okta#225); for a region that does not exist, a regional endpoint's error for another region's scope. `POST
/_emulator/regions` changes the choice.
"""

from __future__ import annotations

import re
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_region
from ministack.services import ec2

from emulator.ec2.actions import ACTIONS, Params, param

ALWAYS_ON = frozenset(name for name, status in ec2._AWS_REGIONS if status == "opt-in-not-required")
TO_BE_CHOSEN = frozenset(name for name, _ in ec2._AWS_REGIONS) - ALWAYS_ON
_UNKNOWN = iam_evaluator.AuthError(
    "UnrecognizedClientException", "The security token included in the request is invalid."
)
_NO_REGION = iam_evaluator.AuthError("SignatureDoesNotMatch", "Credential should be scoped to a valid region. ")

chosen: set[str] = set()


def install() -> None:
    """Refuse calls in such a region, before their permissions are checked."""
    authenticate, describe = iam_evaluator.authenticate, ACTIONS["DescribeRegions"]

    def authenticate_in_region(*arguments: Any) -> Any:
        region = get_region()
        if region in ALWAYS_ON or region in chosen:
            return authenticate(*arguments)
        return _UNKNOWN if region in TO_BE_CHOSEN else _NO_REGION

    def describe_regions(params: Params) -> Any:
        status, headers, body = describe(params)
        all_of_them = param(params, "AllRegions").lower() == "true"
        items = re.compile("<item>.*?</item>", re.DOTALL)
        return status, headers, items.sub(lambda found: _shown(found.group(), all_of_them), body.decode()).encode()

    iam_evaluator.authenticate = authenticate_in_region
    ACTIONS["DescribeRegions"] = describe_regions


def choose(regions: list[str]) -> dict[str, list[str]]:
    """Opt in to these regions, for all accounts, and out of others. Raises ValueError for a region that needs no opt-in."""
    if wrong := sorted(set(regions) - TO_BE_CHOSEN):
        raise ValueError(f"nobody opts in to {', '.join(wrong)}; there is {', '.join(sorted(TO_BE_CHOSEN))}")
    chosen.clear()
    chosen.update(regions)
    return {"regions": sorted(chosen)}


def _shown(item: str, all_of_them: bool) -> str:
    name = re.search(r"<regionName>([^<]+)", item)
    if name is None or name.group(1) not in TO_BE_CHOSEN - chosen:
        return item
    return item.replace(">opted-in<", ">not-opted-in<") if all_of_them else ""
