"""This service's identity in a cluster: the token of `aws eks get-token`, and its own access entry.

The token is a presigned STS request in which the cluster's name is signed; it is valid for about 14 minutes.
"""

from __future__ import annotations

import base64
from typing import Any

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest

from chalicelib.aws.clients.calls import call
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import AccessPolicySpec, AccessSpec
from chalicelib.ports.cloud import Clusters

_PREFIX = "k8s-aws-v1."
_LIFETIME_SECONDS = 60
_ADMIN_POLICY = "cluster-access-policy/AmazonEKSClusterAdminPolicy"


class ClusterTokens:
    """Creates tokens with the credentials of a boto3 session."""

    def __init__(self, session: Any, region: str) -> None:
        self._session, self._region = session, region

    def __call__(self, cluster: str) -> str:
        """The bearer token for this cluster."""
        suffix = "amazonaws.com.cn" if self._region.startswith("cn-") else "amazonaws.com"
        request = AWSRequest(
            method="GET",
            url=f"https://sts.{self._region}.{suffix}/?Action=GetCallerIdentity&Version=2011-06-15",
            headers={"x-k8s-aws-id": cluster},
        )
        credentials = self._session.get_credentials().get_frozen_credentials()
        SigV4QueryAuth(credentials, "sts", self._region, expires=_LIFETIME_SECONDS).add_auth(request)
        return _PREFIX + base64.urlsafe_b64encode(request.url.encode()).decode().rstrip("=")


class OwnAccess:
    """Grants this service access to a cluster that is about to be deleted; the entry is deleted with the cluster."""

    def __init__(self, sts: Any, iam: Any, clusters: Clusters) -> None:
        self._sts, self._iam, self._clusters = sts, iam, clusters

    def __call__(self, lab: Lab) -> None:
        """Grant cluster administration to this service's own principal. It takes effect after some seconds."""
        arn = self._own_arn()
        partition = arn.split(":", 2)[1]
        policy = AccessPolicySpec(f"arn:{partition}:eks::aws:{_ADMIN_POLICY}")
        self._clusters.grant_access(lab, AccessSpec(arn, (policy,)))

    def _own_arn(self) -> str:
        """An access entry needs the role with its path, and a session's ARN has neither."""
        arn = str(call(self._sts, "sts:GetCallerIdentity")["Arn"])
        if ":assumed-role/" not in arn:
            return arn
        return str(call(self._iam, "iam:GetRole", RoleName=arn.split("/")[1])["Role"]["Arn"])
