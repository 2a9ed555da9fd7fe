"""Decides whether the cluster with a lab's name is the lab's: by EKS's answer when it was created, never by tags.

A name comes back with every cluster of that name, and so do its ARN and its tags; createdAt and the issuer do not.
"""

from __future__ import annotations

from chalicelib.domain.labs.aws_states import ClusterState
from chalicelib.domain.labs.lab import Lab

_LAB_TAG = "ekslab:lab-id"


def is_own_cluster(lab: Lab, state: ClusterState) -> bool:
    """Whether it is the cluster that this lab asked for."""
    facts = lab.facts
    if facts.arn is not None and facts.arn != state.arn:
        return False
    if facts.created_at is not None:
        known = facts.oidc_issuer, state.oidc_issuer
        return state.created_at == facts.created_at and (None in known or known[0] == known[1])
    if facts.oidc_issuer is not None:
        return state.oidc_issuer == facts.oidc_issuer
    return _was_just_asked_for(lab, state)


def _was_just_asked_for(lab: Lab, state: ClusterState) -> bool:
    """CreateCluster's answer was lost: it has the lab's own role, which nobody may hand over but us, and is no older."""
    role = lab.facts.stack_outputs.get("ClusterRoleArn")
    young = state.created_at is None or state.created_at >= lab.created_at.replace(microsecond=0)
    return role is not None and state.role_arn == role and young and state.tags.get(_LAB_TAG) == lab.id
