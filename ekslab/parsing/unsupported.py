"""Commands of eksctl that a lab does not have, with the alternative."""

from __future__ import annotations

from collections.abc import Sequence

_GROUPS = "A lab's node groups are fixed when it is made: name them in a file, `ekslab create cluster -f lab.yaml`"
_ADDONS = "Add-ons are chosen when a lab is made, with `addons` in a file: `ekslab create cluster -f lab.yaml`"
_ACCESS = "Who gets in is chosen when a lab is made, with `access` in a file: `ekslab create cluster -f lab.yaml`"
_PODS = (
    "Pod identities are chosen when a lab is made, with `podIdentities` in a file: `ekslab create cluster -f lab.yaml`"
)
_FARGATE = "Fargate is not supported: a lab has managed node groups."

#: By verb, or by verb and noun. Nouns are eksctl's.
_INSTEAD = {
    "upgrade": "A lab is not upgraded: make a new one of that version, `ekslab create cluster --version ...`. For a cluster "
    "that is not a lab, `ekslab describe cluster ACCOUNT/REGION/NAME` prints the commands.",
    "create nodegroup": f"{_GROUPS}; `ekslab scale nodegroup` changes their size.",
    "delete nodegroup": f"{_GROUPS}; `ekslab scale nodegroup --nodes 0` empties one.",
    "upgrade nodegroup": "A lab is not upgraded: make a new one of that version.",
    "update nodegroup": f"{_GROUPS}; `ekslab scale nodegroup` changes their size.",
    "drain": "Use kubectl: `kubectl drain NODE`.",
    "create addon": f"{_ADDONS}.",
    "update addon": f"{_ADDONS}.",
    "delete addon": f"{_ADDONS}.",
    "get addon": "`ekslab get inventory NAME` lists add-ons.",
    "get addons": "`ekslab get inventory NAME` lists add-ons.",
    "create accessentry": f"{_ACCESS}.",
    "delete accessentry": f"{_ACCESS}.",
    "get accessentry": "`ekslab get inventory NAME` lists access entries.",
    "create podidentityassociation": f"{_PODS}.",
    "update podidentityassociation": f"{_PODS}.",
    "delete podidentityassociation": f"{_PODS}.",
    "get podidentityassociation": "`ekslab get inventory NAME` lists pod identities.",
    "create iamserviceaccount": "No IAM OIDC provider is made: ask for podIdentities in a file (-f) instead.",
    "delete iamserviceaccount": "No IAM OIDC provider is made: ask for podIdentities in a file (-f) instead.",
    "create iamidentitymapping": f"{_ACCESS}.",
    "create fargateprofile": _FARGATE,
    "delete fargateprofile": _FARGATE,
    "get fargateprofile": _FARGATE,
    "create flux": "GitOps is not set up by a lab: run `flux bootstrap` on it once it is ready.",
    "enable": "GitOps and the like are not set up by a lab: install them once it is ready.",
    "associate": "OIDC identity providers are not supported. " + _ACCESS + ".",
    "disassociate": "OIDC identity providers are not supported. " + _ACCESS + ".",
    "set": "Node labels are chosen when a lab is made: `ekslab create cluster --node-labels k1=v1`.",
    "unset": "Node labels are chosen when a lab is made: `ekslab create cluster --node-labels k1=v1`.",
    "deregister": "External clusters are not connected. `ekslab unregister` takes an account out of the registry.",
    "anywhere": "EKS Anywhere is not supported: a lab runs in its region.",
}

#: Options that come before a command, each with a value in the next word.
_WITH_VALUE = frozenset({"-p", "--profile", "--url", "--api-region", "-o", "--output", "-v", "--verbose"})


def instead_of(words: Sequence[str]) -> str | None:
    """The alternative to a command that a lab does not have; None if it may be one of a lab's."""
    said = _without_options(words)[:2]
    for command in (" ".join(said), said[0] if said else ""):
        if command in _INSTEAD:
            return f"ekslab has no `{command}`. {_INSTEAD[command]}"
    return None


def _without_options(words: Sequence[str]) -> list[str]:
    """The words that are neither options nor values of options: `drain` of `--profile drain` is a profile."""
    values = {number + 1 for number, word in enumerate(words) if word in _WITH_VALUE}
    return [word for number, word in enumerate(words) if number not in values and not word.startswith("-")]
