"""The filters of the Describe actions that are known here; any other is refused, by its name.

A silently ignored filter would return everybody's resources to a sweep, so a new filter is added here first.
"""

from collections.abc import Mapping

FILTERS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "DescribeNetworkInterfaces": (
        "networkInterfaceSet/item",
        {
            "association.public-ip": "association/publicIp",
            "attachment.attachment-id": "attachment/attachmentId",
            "attachment.instance-id": "attachment/instanceId",
            "attachment.status": "attachment/status",
            "availability-zone": "availabilityZone",
            "description": "description",
            "group-id": "groupSet/item/groupId",
            "group-name": "groupSet/item/groupName",
            "interface-type": "interfaceType",
            "network-interface-id": "networkInterfaceId",
            "private-ip-address": "privateIpAddress",
            "requester-id": "requesterId",
            "requester-managed": "requesterManaged",
            "status": "status",
            "subnet-id": "subnetId",
            "vpc-id": "vpcId",
        },
    ),
    "DescribeSecurityGroups": (
        "securityGroupInfo/item",
        {
            "description": "groupDescription",
            "egress.ip-permission.group-id": "ipPermissionsEgress/item/groups/item/groupId",
            "group-id": "groupId",
            "group-name": "groupName",
            "ip-permission.cidr": "ipPermissions/item/ipRanges/item/cidrIp",
            "ip-permission.group-id": "ipPermissions/item/groups/item/groupId",
            "vpc-id": "vpcId",
        },
    ),
    "DescribeInstances": (
        "reservationSet/item/instancesSet/item",
        {
            "availability-zone": "placement/availabilityZone",
            "client-token": "clientToken",
            "iam-instance-profile.arn": "iamInstanceProfile/arn",
            "image-id": "imageId",
            "instance-id": "instanceId",
            "instance-state-name": "instanceState/name",
            "instance-type": "instanceType",
            "instance.group-id": "groupSet/item/groupId",
            "key-name": "keyName",
            "private-ip-address": "privateIpAddress",
            "subnet-id": "subnetId",
            "vpc-id": "vpcId",
        },
    ),
    "DescribeVolumes": (
        "volumeSet/item",
        {
            "attachment.instance-id": "attachmentSet/item/instanceId",
            "availability-zone": "availabilityZone",
            "snapshot-id": "snapshotId",
            "status": "status",
            "volume-id": "volumeId",
            "volume-type": "volumeType",
        },
    ),
    "DescribeSnapshots": (
        "snapshotSet/item",
        {"owner-id": "ownerId", "snapshot-id": "snapshotId", "status": "status", "volume-id": "volumeId"},
    ),
    "DescribeSubnets": (
        "subnetSet/item",
        {
            "availability-zone": "availabilityZone",
            "cidr-block": "cidrBlock",
            "map-public-ip-on-launch": "mapPublicIpOnLaunch",
            "state": "state",
            "subnet-id": "subnetId",
            "vpc-id": "vpcId",
        },
    ),
    "DescribeNatGateways": (
        "natGatewaySet/item",
        {"nat-gateway-id": "natGatewayId", "state": "state", "subnet-id": "subnetId", "vpc-id": "vpcId"},
    ),
    "DescribeVpcEndpoints": (
        "vpcEndpointSet/item",
        {
            "service-name": "serviceName",
            "vpc-endpoint-id": "vpcEndpointId",
            "vpc-endpoint-state": "state",
            "vpc-endpoint-type": "vpcEndpointType",
            "vpc-id": "vpcId",
        },
    ),
    "DescribeRouteTables": (
        "routeTableSet/item",
        {
            "association.main": "associationSet/item/main",
            "association.subnet-id": "associationSet/item/subnetId",
            "route-table-id": "routeTableId",
            "route.gateway-id": "routeSet/item/gatewayId",
            "route.nat-gateway-id": "routeSet/item/natGatewayId",
            "vpc-id": "vpcId",
        },
    ),
    "DescribeInternetGateways": (
        "internetGatewaySet/item",
        {"attachment.vpc-id": "attachmentSet/item/vpcId", "internet-gateway-id": "internetGatewayId"},
    ),
    "DescribeKeyPairs": (
        "keySet/item",
        {"fingerprint": "keyFingerprint", "key-name": "keyName", "key-pair-id": "keyPairId"},
    ),
    "DescribeVpcs": (
        "vpcSet/item",
        {
            "cidr": "cidrBlock",
            "cidr-block-association.cidr-block": "cidrBlockAssociationSet/item/cidrBlock",
            "is-default": "isDefault",
            "isDefault": "isDefault",
            "state": "state",
            "vpc-id": "vpcId",
        },
    ),
    "DescribeLaunchTemplates": (
        "launchTemplates/item",
        {"launch-template-id": "launchTemplateId", "launch-template-name": "launchTemplateName"},
    ),
    "DescribeSecurityGroupRules": (
        "securityGroupRuleSet/item",
        {"group-id": "groupId", "security-group-rule-id": "securityGroupRuleId"},
    ),
    "DescribeNetworkAcls": (
        "networkAclSet/item",
        {"default": "default", "network-acl-id": "networkAclId", "vpc-id": "vpcId"},
    ),
    "DescribeAddresses": (
        "addressesSet/item",
        {
            "allocation-id": "allocationId",
            "association-id": "associationId",
            "network-interface-id": "networkInterfaceId",
            "public-ip": "publicIp",
        },
    ),
}
"""By action: the path of the items in the answer and, by filter, the path of the value in an item. Tag filters always work."""
