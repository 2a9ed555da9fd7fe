"""Settings of an emulator: its port, the speed of its time, and its account.

`Settings` is read by the command line and by tests; `environment()` is the whole environment of the server's process, made before
ministack is imported because it reads most of it once, at import. The caller's own AWS settings are left out: a real profile or
access key must never reach the emulator, nor the emulator's key a real account.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ACCOUNT = "111122223333"
REGION = "ap-northeast-2"
ROOT_SECRET = "test"
"""The emulator takes any account id as that account's root access key, with this secret."""

LAMBDA_ENTRY = Path(__file__).resolve().parent.parent / "lambdas" / "entry"

# fmt: off
SERVICES = (
    "apigateway", "autoscaling", "cloudformation", "cloudtrail", "cognito-idp", "dynamodb", "ec2", "ecr", "eks",
    "elasticfilesystem", "elasticloadbalancing", "events", "iam", "kms", "lambda", "logs", "monitoring",
    "resource-groups", "route53", "s3", "scheduler", "secretsmanager", "ses", "sns", "sqs", "ssm", "states", "sts", "tagging",
    "wafv2",
)
# fmt: on
"""ministack's services that are switched on; none of them opens a second port."""

NO_FILES = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
"""The caller's `~/.aws` is not read either, by the server or by functions."""

MAX_LAMBDAS_AT_ONCE = 1000
"""An account's concurrent executions, as on AWS; `lambdas/gate.py` limits how many run at the same moment."""
MAX_THREADS = 512
"""Concurrent requests: those of functions that wait for their turn, and those of running functions."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`scale` is wall seconds per AWS second; `port` 0 takes a free one; `real_kubernetes` keeps ministack's own EKS.

    `recorded_roles`: name prefix of the roles whose IAM requests are recorded. With `shared_imports` the
    functions of one archive share their imports, which saves most of a cold start of code that reads no settings at import.
    """

    port: int = 0
    scale: float = 0.01
    region: str = REGION
    account: str = ACCOUNT
    auth: bool = True
    real_kubernetes: bool = False
    log_level: str = "WARNING"
    recorded_roles: str = ""
    shared_imports: bool = False


def environment(settings: Settings, host: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of the server's process, made from the host's without anything of AWS's in it."""
    return _without_aws(os.environ if host is None else host) | {
        "AUTH": str(settings.auth).lower(),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "GATEWAY_PORT": str(settings.port),
        "SFN_WAIT_SCALE": repr(settings.scale),
        "SERVICES": ",".join(SERVICES),
        "MINISTACK_ACCOUNT_ID": settings.account,
        "MINISTACK_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        **NO_FILES,
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_ACCOUNT_CONCURRENCY": str(MAX_LAMBDAS_AT_ONCE),
        "MINISTACK_WORKER_THREADS": str(MAX_THREADS),
        "LOG_LEVEL": settings.log_level,
        "PYTHONPATH": str(LAMBDA_ENTRY),
        "PYTHONUNBUFFERED": "1",
    }


def _without_aws(host: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in host.items()
        if not name.startswith(("AWS_", "MINISTACK_", "LAMBDA_", "IOT_", "PYTHON"))
    }
