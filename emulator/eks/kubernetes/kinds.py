"""The known kinds of objects, and their paths in the API."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object and its place in the API."""

    plural: str
    kind: str
    api_version: str = "v1"
    namespaced: bool = True
    short: tuple[str, ...] = ()
    in_all: bool = False
    scalable: bool = False

    @property
    def group(self) -> str:
        """The API group, "" for the core one."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        """The version in its group."""
        return self.api_version.rpartition("/")[2]

    @property
    def root(self) -> str:
        """The path of its API group and version."""
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.api_version}"


_APPS, _RBAC = "apps/v1", "rbac.authorization.k8s.io/v1"

KINDS = {
    kind.plural: kind
    for kind in (
        Kind("nodes", "Node", namespaced=False, short=("no",)),
        Kind("namespaces", "Namespace", namespaced=False, short=("ns",)),
        Kind("services", "Service", short=("svc",), in_all=True),
        Kind("pods", "Pod", short=("po",), in_all=True),
        Kind("configmaps", "ConfigMap", short=("cm",)),
        Kind("secrets", "Secret"),
        Kind("serviceaccounts", "ServiceAccount", short=("sa",)),
        Kind("events", "Event", short=("ev",)),
        Kind("endpoints", "Endpoints", short=("ep",)),
        Kind("persistentvolumeclaims", "PersistentVolumeClaim", short=("pvc",)),
        Kind("persistentvolumes", "PersistentVolume", namespaced=False, short=("pv",)),
        Kind("resourcequotas", "ResourceQuota", short=("quota",)),
        Kind("limitranges", "LimitRange", short=("limits",)),
        Kind("deployments", "Deployment", _APPS, short=("deploy",), in_all=True, scalable=True),
        Kind("replicasets", "ReplicaSet", _APPS, short=("rs",), in_all=True, scalable=True),
        Kind("daemonsets", "DaemonSet", _APPS, short=("ds",), in_all=True),
        Kind("statefulsets", "StatefulSet", _APPS, short=("sts",), in_all=True, scalable=True),
        Kind("jobs", "Job", "batch/v1", in_all=True),
        Kind("cronjobs", "CronJob", "batch/v1", short=("cj",), in_all=True),
        Kind("horizontalpodautoscalers", "HorizontalPodAutoscaler", "autoscaling/v2", short=("hpa",), in_all=True),
        Kind("ingresses", "Ingress", "networking.k8s.io/v1", short=("ing",)),
        Kind("networkpolicies", "NetworkPolicy", "networking.k8s.io/v1", short=("netpol",)),
        Kind("poddisruptionbudgets", "PodDisruptionBudget", "policy/v1", short=("pdb",)),
        Kind("leases", "Lease", "coordination.k8s.io/v1"),
        Kind("storageclasses", "StorageClass", "storage.k8s.io/v1", namespaced=False, short=("sc",)),
        Kind("roles", "Role", _RBAC),
        Kind("rolebindings", "RoleBinding", _RBAC),
        Kind("clusterroles", "ClusterRole", _RBAC, namespaced=False),
        Kind("clusterrolebindings", "ClusterRoleBinding", _RBAC, namespaced=False),
        Kind("nodepools", "NodePool", "karpenter.sh/v1", namespaced=False),
    )
}
