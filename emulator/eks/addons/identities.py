"""Pod identity associations that belong to an add-on: created by its request, and deleted with it."""

from __future__ import annotations

from emulator.eks.access.pod_identity import drop_association, new_association
from emulator.eks.http.call import Call
from emulator.eks.state.state import Cluster, Described
from emulator.eks.state.world import World


def associate_identities(world: World, call: Call, cluster: Cluster, addon: Described) -> None:
    """Replace the add-on's pod identities by those of the request; a request without any changes none."""
    if "podIdentityAssociations" not in call.given:
        return
    drop_identities(world, cluster, addon)
    namespace = addon["namespaceConfig"]["namespace"]
    made = [
        new_association(world, call, cluster, {"namespace": namespace, **asked}, owner=addon["addonArn"])
        for asked in call.given["podIdentityAssociations"]
    ]
    addon["podIdentityAssociations"] = [association["associationArn"] for association in made]


def drop_identities(world: World, cluster: Cluster, addon: Described) -> None:
    """Take away the pod identities that the add-on owns."""
    owned = [each for each in cluster.pod_identity_associations.values() if each["ownerArn"] == addon["addonArn"]]
    for association in owned:
        drop_association(world, cluster, association)
