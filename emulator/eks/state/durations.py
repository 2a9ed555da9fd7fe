"""Durations of operations on AWS, in seconds; the clock's scale shortens them.

Control planes and node groups are rounded from Terraform's logs in public threads. Control planes took 8m33s
(DevopsArtFactory/terraform-provisioning#46), 9m43s (terraform-aws-modules/terraform-aws-eks#2203) and 10m6s (#3218); node groups
took 1m48s and 1m59s (terraform-provisioning#46). Users report 4 to 8 minutes for the deletion of a node group, 2.5 to 4 for that
of a cluster, and half a minute for an add-on. The others are estimates.
"""

CREATE_CLUSTER = 600.0
DELETE_CLUSTER = 180.0
CREATE_NODEGROUP = 120.0
DELETE_NODEGROUP = 300.0
UPDATE_NODEGROUP_CONFIG = 60.0
UPDATE_NODEGROUP_VERSION = 300.0
CREATE_ADDON = 30.0
UPDATE_ADDON = 30.0
DELETE_ADDON = 20.0
UPDATE_CLUSTER_CONFIG = 180.0
UPDATE_CLUSTER_VERSION = 300.0
REFRESH_INSIGHTS = 120.0
CREATE_FARGATE_PROFILE = 60.0
DELETE_FARGATE_PROFILE = 60.0
LATE_LOG_CHECK = 60.0
LATE_LOG_CHECKS = 10
CONTROLLER_CLEANUP = 30.0
NAMESPACE_ENDS = 10.0
ADDON_SETTLES = 20.0
ADDON_GIVES_UP = 900.0
UPDATE_QUICK_CONFIG = 5.0
