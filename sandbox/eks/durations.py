"""How long things take on AWS, in seconds; the clock's scale turns them into this machine's.

The middle of what people measured: control plane 8-14 minutes, node group 1.5-3.5, its deletion 4-8, cluster
deletion 2.5-4, a managed add-on half a minute.
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
CREATE_FARGATE_PROFILE = 60.0
DELETE_FARGATE_PROFILE = 60.0
LATE_LOG_CHECK = 60.0
LATE_LOG_CHECKS = 10
CONTROLLER_CLEANUP = 30.0
