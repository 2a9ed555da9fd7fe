"""Whether a lab's stack fits into one request to CloudFormation; judged last, for it takes the whole lab.

Tags are what makes a template long: each launch template says them once for each kind of thing made from it.
"""

from __future__ import annotations

from chalicelib.domain.errors.findings import Finding, error
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.stack.template import lab_template

#: CloudFormation's quota for a template that is sent inline, in bytes.
TEMPLATE_BYTES = 51_200


def judge_size(lab: Lab) -> tuple[Finding, ...]:
    """The lab's template is not longer than CloudFormation takes it."""
    size = len(lab_template(lab).encode())
    if size <= TEMPLATE_BYTES:
        return ()
    message = (
        f"With {len(lab.spec.nodegroups)} node groups and these tags the lab's stack has {size} bytes;"
        f" CloudFormation takes {TEMPLATE_BYTES}. Ask for fewer node groups, or fewer or shorter tags."
    )
    return (error("tags" if lab.spec.tags else "nodegroups", "too-large", message),)
