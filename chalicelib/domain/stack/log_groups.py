"""The control plane's log group in the lab's stack: made before the cluster, so that EKS uses ours and it goes with us."""

from __future__ import annotations

from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.stack.intrinsics import Json, resource, tag_list

#: What the lab said is of interest for as long as somebody may ask what happened in it.
RETENTION_DAYS = 30


def log_groups(lab: Lab) -> Json:
    """None without control-plane logs, and none where somebody's bears the name already: EKS writes into that one."""
    if not lab.spec.log_types or lab.facts.logs_were_there:
        return {}
    properties = {
        "LogGroupName": f"/aws/eks/{lab.name}/cluster",
        "RetentionInDays": RETENTION_DAYS,
        "Tags": tag_list({"Name": lab.stack_name}),
    }
    return {"ControlPlaneLogs": resource("Logs::LogGroup", properties)}
