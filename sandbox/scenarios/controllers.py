"""Acts as a cluster's controllers: pods with the session of a role from the cluster's OIDC issuer (IRSA).

Their resources are the cluster's, as CloudTrail shows: root's resources with the same tags only look like it.
"""

import json
import zlib
from collections.abc import Sequence
from contextlib import suppress

from emulator.process import Sandbox
from sandbox.scenarios.just_made import patient
from sandbox.scenarios.leftover import ClientFactory

_ROLE = "controllers"
_POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def controllers_of(
    sandbox: Sandbox, issuer: str, region: str | None = None, actions: Sequence[str] | None = None
) -> ClientFactory:
    """Clients of pods of the cluster that has this issuer. `actions`: the permissions of their role."""
    role, policy = _ROLE, _POLICY
    if actions is not None:
        role = f"{_ROLE}-{zlib.crc32(' '.join(actions).encode()):08x}"
        allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [allowed]}
    iam = sandbox.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=document)
    iam.put_role_policy(RoleName=role, PolicyName="all", PolicyDocument=json.dumps(policy))
    credentials = sandbox.session(role, "system-serviceaccount", issuer)
    more = {"region": region} if region is not None else {}
    return lambda service: patient(sandbox.client(service, credentials=credentials, **more))
