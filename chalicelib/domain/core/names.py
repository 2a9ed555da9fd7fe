"""The names that EKS, EC2, IAM and Kubernetes accept: patterns and lengths, one line each, with their source.

Lengths and patterns marked (model) are botocore's eks/2017-11-01; the rest is Kubernetes' or IAM's own syntax.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from chalicelib.domain.core.deferred import pattern
from chalicelib.domain.core.sentence import Sentence

#: ClusterName (model): 1 to 100 characters, begins with a letter or digit.
ACCOUNT = pattern(r"\d{12}", re.ASCII)
CLUSTER = pattern(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}")
#: Node group names: 1 to 63 characters, begins with a letter or digit.
NODEGROUP = pattern(r"[0-9A-Za-z][A-Za-z0-9_-]{0,62}")
#: A lab's id, as we give it.
LAB_ID = pattern(r"lab-[0-9a-z]{3,40}", re.ASCII)
REGION = pattern(r"[a-z]{2}(-[a-z]+)+-\d")
ZONE = pattern(r"[a-z]{2}(-[a-z]+)+-\d[a-z]")
MINOR_VERSION = pattern(r"[0-9]{1,3}\.[0-9]{1,3}")
INSTANCE_TYPE = pattern(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")
VPC_ID = pattern(r"vpc-([0-9a-f]{8}|[0-9a-f]{17})")
SUBNET_ID = pattern(r"subnet-([0-9a-f]{8}|[0-9a-f]{17})")
HOSTED_ZONE_ID = pattern(r"Z[0-9A-Z]{1,31}")
DOMAIN = pattern(r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
ADDON = pattern(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}")
#: A Kubernetes label's name or value: at most 63, letters and digits at both ends.
LABEL_PART = pattern(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
LABEL_PREFIX = pattern(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
#: A Kubernetes namespace or service account.
DNS_LABEL = pattern(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
NAMESPACE_PATTERN = pattern(r"[a-z0-9*]([a-z0-9*-]{0,61}[a-z0-9*])?")
SERVICE_ACCOUNT = pattern(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
TAG_TEXT = pattern(r"[\w +\-=.:/@]*")
_NOT_IN_TAGS = pattern(r"[^\w +\-=.:/@]")
PRINCIPAL_ARN = pattern(r"arn:aws[a-z-]*:iam::(\d{12}):(user|role)/[\w+=,.@/-]+", re.ASCII)
SESSION_ARN = pattern(r"arn:(aws[a-z-]*):sts::(\d{12}):assumed-role/([\w+=,.@-]+)/.+", re.ASCII)
#: A session whose name ends in a long number: tools make one up at each login (botocore-session-1795512345, 1795512345678901234).
PASSING_SESSION = pattern(r"arn:aws[a-z-]*:sts::\d{12}:assumed-role/[^/]+/([\w+=,.@-]*[^0-9])?\d{9,}", re.ASCII)
ACCESS_POLICY_ARN = pattern(r"arn:aws[a-z-]*:eks::aws:cluster-access-policy/[A-Za-z0-9]+")
LAB_ROLE_ARN = pattern(r"arn:aws[a-z-]*:iam::(\d{12}):role/ekslab/[\w+=,.@/-]+", re.ASCII)
PUBLIC_KEY = pattern(r"(ssh-rsa|ssh-ed25519) AAAA[0-9A-Za-z+/]{40,}={0,3}( [^\r\n]*)?\s*")

#: A region's beginning -> its partition; all others are in `aws`.
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


def principal_of(caller_arn: str) -> str | None:
    """The IAM user or role behind a caller's ARN, as an access entry wants it; None for root and federated users.

    An assumed-role session does not say its role's path: the ARN returned has none; an adapter that asks IAM adds it.
    """
    session = SESSION_ARN.fullmatch(caller_arn)
    if session:
        return f"arn:{session[1]}:iam::{session[2]}:role/{session[3]}"
    return caller_arn if PRINCIPAL_ARN.fullmatch(caller_arn) else None


def same_principal(one: str, other: str) -> bool:
    """Whether two ARNs name the same user or role, paths apart: a role's or user's name is unique in its account."""
    return _without_path(one) == _without_path(other)


def as_tag_value(text: str) -> str:
    """The text as a value that every service takes for a tag: at most 256 characters, `_` for those IAM and EC2 refuse.

    Names of IAM users and of sessions may have commas, a user's path makes its ARN up to 500 characters long.
    """
    return _NOT_IN_TAGS.sub("_", text)[:256]


def partition_of(region: str) -> str:
    """The AWS partition of a region: `aws`, `aws-cn` or `aws-us-gov`."""
    return next((name for prefix, name in _PARTITIONS.items() if region.startswith(prefix)), "aws")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was probably meant to be, ignoring case, dashes and underscores; None if none is near."""
    from difflib import get_close_matches

    plain = {_plain(candidate): candidate for candidate in known}
    close = get_close_matches(_plain(name), plain, n=1, cutoff=0.6)
    return plain[close[0]] if close else None


def meant_by(name: str, known: Iterable[str], otherwise: str) -> str:
    """The question whether the nearest known name was meant; `otherwise` if none is near."""
    near = nearest(name, known)
    return Sentence("Did you mean {near}?", near=near) if near else otherwise


def _without_path(arn: str) -> tuple[str, str]:
    beginning, _, rest = arn.partition("/")
    return beginning, rest.rpartition("/")[2]


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
