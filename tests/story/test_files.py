"""Real eksctl configurations, posted unchanged. Settings that a lab can't honour are named by path."""

import pytest

from sandbox.stage import Stage
from tests.paths import PROJECT
from tests.story.account import nothing_is_left_of
from tests.story.steps import Json, Lab, learner

pytestmark = pytest.mark.story

FILES = PROJECT / "tests" / "data" / "eksctl"

#: Accepted files, and the paths where the lab differs. Every lab has a warning about its volumes.
TAKEN = {
    "01-simple-cluster.yaml": {"nodeGroups", "vpc.publicAccessCIDRs"},
    "08-spot-instances.yaml": {
        "nodeGroups",
        "nodeGroups[0].instancesDistribution.maxPrice",
        "nodeGroups[0].instancesDistribution.onDemandPercentageAboveBaseCapacity",
        "nodeGroups[0].instancesDistribution.spotInstancePools",
        "vpc.publicAccessCIDRs",
    },
    "45-upgrade-policy-example.yaml": {
        "managedNodeGroups[0].instanceType",
        "upgradePolicy.supportType",
        "vpc.publicAccessCIDRs",
    },
}
#: Rejected files, and their errors, without warnings.
REFUSED = {
    "03-two-nodegroups.yaml": {"nodeGroups"},
    "04-existing-vpc.yaml": {"vpc.id", *(f"vpc.subnets.private.eu-north-1{zone}.id" for zone in "abc")},
    "07-ssh-keys.yaml": {"nodeGroups[0].ssh.publicKeyPath", "nodeGroups[1].ssh.allow", "nodeGroups[3].ssh.publicKey"},
    "15-managed-nodes.yaml": {
        "managedNodeGroups[0].iam.withAddonPolicies.certManager",
        "managedNodeGroups[0].securityGroups.attachIDs",
        "managedNodeGroups[0].ssh.publicKeyPath",
        "managedNodeGroups[0].ssh.sourceSecurityGroupIds",
        "managedNodeGroups[2].ami",
        "managedNodeGroups[2].amiFamily",
        "managedNodeGroups[2].overrideBootstrapCommand",
        "managedNodeGroups[2].preBootstrapCommands",
        "managedNodeGroups[3].launchTemplate",
    },
    "16-fargate-profile.yaml": {"fargateProfiles"},
    "25-addons.yaml": {"metadata.version"},
    "29-cluster-with-karpenter.yaml": {"karpenter", "metadata.version"},
    "39-pod-identity-association.yaml": {
        *(f"iam.podIdentityAssociations[{n}].roleARN" for n in range(5)),
        *(f"iam.podIdentityAssociations[{n}].permissionPolicyARNs" for n in (1, 4)),
        *(f"iam.podIdentityAssociations[{n}].roleName" for n in (1, 4)),
        *(f"iam.podIdentityAssociations[{n}].targetRoleARN" for n in (3, 4)),
        "iam.podIdentityAssociations[1].permissionsBoundaryARN",
        "iam.podIdentityAssociations[1].wellKnownPolicies",
        "iam.podIdentityAssociations[2].permissionPolicy",
        "iam.podIdentityAssociations[3].disableSessionTags",
    },
    "40-access-entries.yaml": {"metadata.version"},
    "42-auto-mode.yaml": {"autoModeConfig"},
}


def test_every_file_is_taken_or_refused_by_the_paths_in_it(stage: Stage) -> None:
    # Given all files
    owner = learner(stage)
    assert {file.name for file in FILES.glob("*.yaml")} == {*TAKEN, *REFUSED}

    # When those with unsupported settings are posted, then each is rejected with the paths of those settings
    for name, paths in REFUSED.items():
        answer = owner.posts(FILES / name)
        assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json"), name
        assert errors(answer.json["findings"]) == paths, name

    # And the others are accepted, with warnings about the differences
    labs = {name: owner.taken(owner.posts(FILES / name)) for name in TAKEN}
    for name, lab in labs.items():
        assert {warning["path"] for warning in lab.warnings} == {*TAKEN[name], "volumes", ""}, name

    # And the first becomes a lab as specified, where specified
    simple = labs["01-simple-cluster.yaml"]
    for lab in labs.values():
        if lab is not simple:
            lab.is_let_go()
    simple.becomes("ready")
    assert is_as_the_file_says(simple)

    # And all are deleted, in their regions
    simple.is_let_go()
    for lab in labs.values():
        lab.becomes("deleted")
        assert lab.receipt()["clean"]
        nothing_is_left_of(lab)


def is_as_the_file_says(lab: Lab) -> bool:
    inventory = lab.inventory()
    arn, [group] = inventory["controlPlane"]["arn"], inventory["nodegroups"]
    made = (group["name"], group["instanceTypes"], group["desired"], lab.shown()["spec"]["logTypes"])
    asked = ("ng-1", ["m5.large"], 1, ["audit", "authenticator", "controllerManager"])
    return ":eu-north-1:" in arn and made == asked


def errors(findings: Json) -> set[str]:
    return {finding["path"] for finding in findings if finding["severity"] == "error"}
