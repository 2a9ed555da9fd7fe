"""The cluster's own API server, if it can be reached: the port `Kubernetes`. Standard library only.

Nothing here raises for failures of network or server: a private or dead API server, or one that does not know us, is
normal for a service outside the VPC, and a result.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from chalicelib.aws.kubernetes.http import MALFORMED, ApiServer, NotAdmitted, NotReachable
from chalicelib.domain.core.sentence import Listed, Sentence, reason_of
from chalicelib.domain.errors.tree import EkslabError
from chalicelib.domain.labs.aws_states import EndpointProbe, KubernetesNodes, KubernetesSweep
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import VolumePolicy

_PROBE_SECONDS = 3.0
_SWEEP_SECONDS = 8.0
_LOAD_BALANCERS = ("Service", "/api/v1/services")
_INGRESSES = ("Ingress", "/apis/networking.k8s.io/v1/ingresses")
_CLAIMS = ("PersistentVolumeClaim", "/api/v1/persistentvolumeclaims")
_NODES = "/api/v1/nodes"
_NODE_POOLS = ("NodePool", "/apis/karpenter.sh/v1/nodepools")
_MALFORMED_ANSWER = Sentence("the API server gave something malformed: {reason}")
#: A sweep's remaining work while the server does not know our new access yet.
BEING_LET_IN = Sentence("this service's own access, just granted")


class KubernetesApi:
    """`token(cluster)` creates a bearer token; `admit(lab)` grants this service full access to a cluster.

    `view_role()` is the ARN of the role with which `aws/idleness/kubernetes.py` reads.
    """

    def __init__(self, token: Callable[[str], str], admit: Callable[[Lab], None], view_role: Callable[[], str]) -> None:
        self._token, self._admit, self._view_role = token, admit, view_role

    def probe(self, endpoint: str, certificate_authority: str | None) -> EndpointProbe:
        """Resolve the endpoint's name and request /version once, without credentials, for 3 s at most. Never raises."""
        host = urlsplit(endpoint).hostname or endpoint
        try:
            addresses = _addresses(host, urlsplit(endpoint).port or 443)
        except OSError as error:
            return EndpointProbe(
                host, (), False, problem=Sentence("{host} does not resolve: {reason}", host=host, reason=str(error))
            )
        server = ApiServer(endpoint, certificate_authority, None, _PROBE_SECONDS)
        try:
            version = server.ask("GET", "/version")
        except NotAdmitted as error:
            return EndpointProbe(host, addresses, True, problem=reason_of(error))
        except NotReachable as error:
            return EndpointProbe(host, addresses, False, problem=reason_of(error))
        return EndpointProbe(host, addresses, True, version=str(version.get("gitVersion", "")))

    def sweep(self, lab: Lab) -> KubernetesSweep:
        """Delete LoadBalancer Services, Ingresses, NodePools, and PVCs unless the lab keeps its volumes; return the remaining ones.

        Repeat it until nothing remains: controllers take their time. Never raises: unreachable is a result. If the
        server does not know this service, or lets it only read, it grants itself access, and returns that as
        remaining.
        """
        if lab.facts.endpoint is None:
            return KubernetesSweep(False, Sentence("there is no endpoint"))
        try:
            return _swept(self._server(lab.facts.endpoint, lab), lab)
        except NotAdmitted as error:
            return self._let_in(lab, error)
        except NotReachable as error:
            return KubernetesSweep(False, reason_of(error))
        except EkslabError as error:
            return KubernetesSweep(False, reason_of(error), refused_by_aws=True)
        except MALFORMED as error:
            return KubernetesSweep(False, _MALFORMED_ANSWER.with_slots(reason=str(error)))

    def nodes(self, lab: Lab) -> KubernetesNodes:
        """Count the Ready nodes of each managed node group. Never raises: unreachable, or no access, is a result."""
        if lab.facts.endpoint is None:
            return KubernetesNodes(False, Sentence("there is no endpoint"))
        try:
            server = self._server(lab.facts.endpoint, lab)
            ready = [_nodegroup_of(node) for node in server.all(_NODES) if _is_ready(node)]
        except (NotAdmitted, NotReachable, EkslabError) as error:
            return KubernetesNodes(False, reason_of(error))
        except MALFORMED as error:
            return KubernetesNodes(False, _MALFORMED_ANSWER.with_slots(reason=str(error)))
        return KubernetesNodes(True, ready=Counter(name for name in ready if name))

    def view_role(self) -> str:
        """The ARN of the role for reading evidence of use here. Raises AccessDenied for an unregistered account."""
        return self._view_role()

    def _server(self, endpoint: str, lab: Lab) -> ApiServer:
        """Raises the errors of assuming the role of the lab's account."""
        return ApiServer(endpoint, lab.facts.certificate_authority, self._token(lab.name), _SWEEP_SECONDS)

    def _let_in(self, lab: Lab, refusal: NotAdmitted) -> KubernetesSweep:
        """401: the server does not know us; 403 on reading: it knows us with too few permissions. With full access,
        only a policy inside the cluster still forbids a call: that is not about access."""
        if not refusal.lacks_access:
            return KubernetesSweep(False, reason_of(refusal))
        try:
            self._admit(lab)
        except EkslabError as error:
            return KubernetesSweep(
                False, Listed((reason_of(refusal), reason_of(error)), between="; "), refused_by_aws=True
            )
        return KubernetesSweep(True, remaining=(BEING_LET_IN,))


def _swept(server: ApiServer, lab: Lab) -> KubernetesSweep:
    """NodePools first, so that no new node starts; claims of volumes that the lab keeps stay."""
    claims = [_CLAIMS] if lab.spec.volumes is VolumePolicy.DELETE else []
    kinds = [_NODE_POOLS, _LOAD_BALANCERS, _INGRESSES, *claims]
    deleted = []
    for kind, path in kinds:
        for name, own_path in _objects(server, kind, path, going=False).items():
            server.ask("DELETE", own_path)
            deleted.append(name)
    remaining = [name for kind, path in kinds for name in _objects(server, kind, path, going=True)]
    return KubernetesSweep(True, deleted=tuple(deleted), remaining=tuple(remaining))


def _objects(server: ApiServer, kind: str, path: str, going: bool) -> dict[str, str]:
    """`Kind namespace/name` → path of each object of this kind; those already being deleted only if `going`."""
    found = {}
    for item in server.all(path):
        metadata = item["metadata"]
        if kind == "Service" and item.get("spec", {}).get("type") != "LoadBalancer":
            continue
        if "deletionTimestamp" in metadata and not going:
            continue
        namespace, name = metadata.get("namespace"), metadata["name"]
        base, _, plural = path.rpartition("/")
        own_path = f"{base}/namespaces/{namespace}/{plural}/{name}" if namespace else f"{path}/{name}"
        found[f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"] = own_path
    return found


def _nodegroup_of(node: dict[str, Any]) -> str:
    """Empty for a node outside managed node groups."""
    return str(node["metadata"].get("labels", {}).get("eks.amazonaws.com/nodegroup", ""))


def _is_ready(node: dict[str, Any]) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def _addresses(host: str, port: int) -> tuple[str, ...]:
    return tuple(sorted({str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}))
