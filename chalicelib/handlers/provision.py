"""Provision's Lambdas: from a request to a ready lab."""

from __future__ import annotations

from chalicelib.handlers.factory import lab_step
from chalicelib.workflows import provision

provision_begin = lab_step(provision.begin)
provision_create_stack = lab_step(provision.create_stack)
provision_check_stack = lab_step(provision.check_stack)
provision_create_cluster = lab_step(provision.create_cluster)
provision_check_cluster = lab_step(provision.check_cluster)
provision_launch_work_host = lab_step(provision.launch_work_host)
provision_create_nodegroups = lab_step(provision.create_nodegroups)
provision_check_nodegroups = lab_step(provision.check_nodegroups)
provision_create_addons = lab_step(provision.create_addons)
provision_check_addons = lab_step(provision.check_addons)
provision_grant_access = lab_step(provision.grant_access)
provision_open_security_groups = lab_step(provision.open_security_groups)
provision_verify = lab_step(provision.verify)
provision_finish = lab_step(provision.finish)
provision_roll_back = lab_step(provision.roll_back)
