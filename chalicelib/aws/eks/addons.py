"""EKS add-ons and Pod Identity associations: a part of the Clusters adapter.

Three add-ons get configuration beyond the request. external-dns gets the lab's own TXT owner id, so that its records can be found
at the end, and only the lab's domain in the lab's hosted zone. The CNI and the EBS driver tag their resources with the lab's tags.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chalicelib.aws.clients.calls import call, create
from chalicelib.aws.eks.calls import NOT_OFFERED, EksCalls, check_ours, issues_of, token_for
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import AlreadyExists, AwsRefused
from chalicelib.domain.labs.aws_states import AddonState, PodIdentityState
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import AddonSpec, ExternalDnsSpec, PodIdentitySpec

#: external-dns looks for zones by the name of its domain: without this, it finds none if the zone is the domain's parent.
_MATCH_PARENT = "--aws-zone-match-parent"


class AddonCalls(EksCalls):
    """The calls about add-ons and the roles of pods."""

    def create_addon(self, lab: Lab, addon: AddonSpec, pod_identities: Mapping[str, str]) -> None:
        """Request an add-on; `pod_identities`: service account → role ARN. An existing one with the lab's tag counts."""
        request = _addon_request(lab, addon, pod_identities)
        try:
            create(self._eks, "eks:CreateAddon", **request)
        except AlreadyExists:
            check_ours(lab, "eks:CreateAddon", addon.name, self._addon(lab.name, addon.name))

    def addon(self, cluster: str, name: str) -> AddonState:
        """The add-on's state. Raises ResourceGone."""
        addon = self._addon(cluster, name)
        return AddonState(
            addon["addonName"], addon["addonArn"], addon["status"], addon.get("addonVersion", ""), issues_of(addon)
        )

    def addons(self, cluster: str) -> tuple[str, ...]:
        return self.listed("ListAddons", "addons", clusterName=cluster)

    def addon_versions(self, name: str, version: str) -> tuple[str, ...]:
        return tuple(row["addonVersion"] for row in self.offered(name, version))

    def addon_schema(self, name: str, version: str, addon_version: str | None) -> str:
        """The JSON schema of the configuration of an add-on version, by default EKS's own; "" if it has none."""
        chosen = addon_version or _usual_version(self.offered(name, version))
        if chosen is None:
            return ""
        try:
            told = call(self._eks, "eks:DescribeAddonConfiguration", addonName=name, addonVersion=chosen)
        except AwsRefused as error:
            if error.code in NOT_OFFERED:
                return ""
            raise
        return str(told.get("configurationSchema", ""))

    def associate_pod_identity(self, lab: Lab, association: PodIdentitySpec) -> str:
        """Create the association; return its ARN. An existing one for this service account and role counts.

        One that exists and is not listed was created a moment ago: the error's code says so.
        """
        try:
            made = create(
                self._eks,
                "eks:CreatePodIdentityAssociation",
                clusterName=lab.name,
                namespace=association.namespace,
                serviceAccount=association.service_account,
                roleArn=association.role_arn,
                tags=lab.tags,
                clientRequestToken=token_for(lab, "pods", f"{association.namespace}/{association.service_account}"),
            )
            return str(made["association"]["associationArn"])
        except AlreadyExists as error:
            for known in self.pod_identities(lab.name):
                if (known.namespace, known.service_account) == (association.namespace, association.service_account):
                    if known.role_arn == association.role_arn:
                        return known.arn
                    raise
            raise AlreadyExists(
                error.operation,
                "NotSeenYet",
                Sentence("It exists, and is not listed so far: {message}", message=error.message),
            ) from error

    def pod_identities(self, cluster: str) -> tuple[PodIdentityState, ...]:
        listed = self.listed("ListPodIdentityAssociations", "associations", clusterName=cluster)
        return tuple(self._pod_identity(cluster, row["associationId"]) for row in listed)

    def _pod_identity(self, cluster: str, id: str) -> PodIdentityState:
        told = call(self._eks, "eks:DescribePodIdentityAssociation", clusterName=cluster, associationId=id)
        known = told["association"]
        arn, namespace, account = known["associationArn"], known["namespace"], known["serviceAccount"]
        return PodIdentityState(arn, known["associationId"], namespace, account, known.get("roleArn", ""))

    def _addon(self, cluster: str, name: str) -> dict[str, Any]:
        addon: dict[str, Any] = call(self._eks, "eks:DescribeAddon", clusterName=cluster, addonName=name)["addon"]
        return addon


def _usual_version(offered: list[dict[str, Any]]) -> str | None:
    """EKS's default version."""
    usual = (row for row in offered if any(fit.get("defaultVersion") for fit in row.get("compatibilities", ())))
    row = next(usual, None)
    return None if row is None else str(row["addonVersion"])


def _addon_request(lab: Lab, addon: AddonSpec, pod_identities: Mapping[str, str]) -> dict[str, Any]:
    request: dict[str, Any] = {
        "clusterName": lab.name,
        "addonName": addon.name,
        "resolveConflicts": "OVERWRITE",
        "tags": lab.tags_with(addon.tags),
        "clientRequestToken": token_for(lab, "addon", addon.name),
    }
    if addon.version is not None:
        request["addonVersion"] = addon.version
    if (configuration := addon_configuration(lab, addon)) is not None:
        request["configurationValues"] = configuration
    if pod_identities:
        request["podIdentityAssociations"] = [
            {"serviceAccount": account, "roleArn": role_arn} for account, role_arn in sorted(pod_identities.items())
        ]
    return request


def addon_configuration(lab: Lab, addon: AddonSpec) -> str | None:
    """The add-on's configuration as JSON text, with the lab's own values over the person's: for external-dns its zone, for the
    CNI and the EBS driver the lab's tags on their resources, which keep its roles from other labs' resources."""
    asked = json.loads(addon.configuration or "{}")
    match addon.name:
        case "vpc-cni":
            env = {**_part(asked, "env"), "ADDITIONAL_ENI_TAGS": json.dumps(_own_tags(lab), sort_keys=True)}
            own: dict[str, Any] = {"env": env}
        case "aws-ebs-csi-driver":
            controller = _part(asked, "controller")
            own = {
                "controller": {
                    **controller,
                    "extraVolumeTags": {**_part(controller, "extraVolumeTags"), **_own_tags(lab)},
                }
            }
        case "external-dns" if lab.spec.external_dns is not None:
            own = _of_external_dns(lab, lab.spec.external_dns, asked)
        case _:
            return addon.configuration
    return json.dumps({**asked, **own}, sort_keys=True)


def _own_tags(lab: Lab) -> dict[str, str]:
    return {key: value for key, value in lab.tags.items() if key.startswith("ekslab:")}


def _part(asked: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = asked.get(name)
    return dict(found) if isinstance(found, Mapping) else {}


def _of_external_dns(lab: Lab, dns: ExternalDnsSpec, asked: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "registry": "txt",
        "txtOwnerId": lab.txt_owner_id,
        "domainFilters": [dns.domain],
        "extraArgs": [*_without_zones(asked.get("extraArgs")), f"--zone-id-filter={dns.hosted_zone_id}", _MATCH_PARENT],
        "policy": "sync",
    }


def _without_zones(asked: object) -> list[str]:
    """The person's own arguments without those that choose zones: the role may only change the lab's zone."""
    if isinstance(asked, Mapping):
        asked = [f"--{key}" if value is None else f"--{key}={value}" for key, value in asked.items()]
    own = [str(each) for each in asked] if isinstance(asked, list) else []
    return [each for each in own if not each.startswith(("--zone-id-filter", _MATCH_PARENT))]
