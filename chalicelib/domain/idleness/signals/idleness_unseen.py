"""Machines whose work the metrics don't show: GPUs, Fargate's, instances outside the managed node groups (Karpenter's, for one).

Only Kubernetes can say that nothing runs there. Where it can't be asked, they make a verdict impossible.
"""

from __future__ import annotations

from chalicelib.domain.core.instance_types import is_accelerated
from chalicelib.domain.core.wording import counted
from chalicelib.domain.idleness.evidence import Evidence
from chalicelib.domain.idleness.verdict import Sign, Signal

NAME = "unseen"


def unseen_signal(evidence: Evidence) -> Signal:
    """BUSY if user pods may be at work there, MISSING if nobody knows; never QUIET, since Kubernetes' own signal says that."""
    places = _places(evidence)
    if not places:
        return Signal(NAME, Sign.ABSENT, "every node is measured")
    told = " and ".join(places)
    if evidence.kubernetes is None:
        return Signal(NAME, Sign.MISSING, f"what runs on {told}: metrics don't show it, and Kubernetes can't be asked")
    pods = evidence.kubernetes.user_pods
    if pods:
        return Signal(
            NAME,
            Sign.BUSY,
            f"{counted(pods, 'user pod')}, and {told}, whose work no metric shows",
            {"pods": float(pods)},
        )
    return Signal(NAME, Sign.ABSENT, f"no user pods that could run on {told}", {"pods": 0.0})


def _places(evidence: Evidence) -> list[str]:
    types = {kind for group in evidence.nodegroups if group.nodes for kind in group.instance_types}
    accelerated = sorted(kind for kind in types if is_accelerated(kind))
    return [
        *([f"GPU nodes ({', '.join(accelerated)})"] if accelerated else []),
        *(
            [f"{counted(evidence.instances_outside, 'instance')} outside the node groups"]
            if evidence.instances_outside
            else []
        ),
        *([counted(evidence.fargate_profiles, "Fargate profile")] if evidence.fargate_profiles else []),
    ]
