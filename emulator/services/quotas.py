"""Service Quotas, which the emulator lacks: the default quotas that a lab can run into, and a way to lower them.

Defaults as AWS documents them (general reference, "endpoints and quotas" of each service). A quota is lowered or
raised for a test by `POST /_emulator/quotas {"eks/L-1194D53C": 1}`; nothing here enforces it.
"""

import json
from collections.abc import Mapping
from typing import Any

from ministack import app
from ministack.core import iam_actions, router

from emulator.core.scope import scope

NAME = "servicequotas"
TARGET = "ServiceQuotasV20190624."

QUOTAS: dict[str, tuple[str, float]] = {
    "eks/L-1194D53C": ("Clusters", 100),
    "eks/L-6D54EA21": ("Managed node groups per cluster", 30),
    "eks/L-BD136A63": ("Nodes per managed node group", 450),
    "ec2/L-1216C47A": ("Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 5),
    "ec2/L-0263D0A3": ("EC2-VPC Elastic IPs", 5),
    "ec2/L-DB2E81BA": ("Running On-Demand G and VT instances", 0),
    "ec2/L-417A185B": ("Running On-Demand P instances", 0),
    "ec2/L-34B43A08": ("All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests", 5),
    "vpc/L-0EA8095F": ("Inbound or outbound rules per security group", 60),
    "vpc/L-F678F1CE": ("VPCs per Region", 5),
    "vpc/L-A4707A72": ("Internet gateways per Region", 5),
    "vpc/L-FE5A380F": ("NAT gateways per Availability Zone", 5),
    "vpc/L-E79EC296": ("VPC security groups per Region", 2500),
    "vpc/L-DF5E4CA3": ("Network interfaces per Region", 5000),
    "elasticloadbalancing/L-53DA6B97": ("Application Load Balancers per Region", 50),
}
"""By service code and quota code: the name and the value."""


def install() -> None:
    """Add the service to this process's emulator, behind its IAM enforcement."""
    router.SERVICE_PATTERNS[NAME] = {"target_prefixes": [TARGET], "credential_scope": NAME}
    iam_actions.SERVICE_TO_IAM_NAMESPACE[NAME] = NAME
    app.SERVICE_HANDLERS[NAME] = _handle_request


def set_quotas(values: Mapping[str, float]) -> Mapping[str, float]:
    """Change quotas by `service/code`; a ValueError names one that is not known."""
    if unknown := set(values) - set(QUOTAS):
        raise ValueError(f"no such quota: {', '.join(sorted(unknown))}")
    for key, value in values.items():
        QUOTAS[key] = (QUOTAS[key][0], float(value))
    return {key: value for key, (_, value) in QUOTAS.items()}


async def _handle_request(method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any) -> Any:
    del method, path, query
    operation, given = headers.get("x-amz-target", "").removeprefix(TARGET), json.loads(body or b"{}")
    key = f"{given.get('ServiceCode')}/{given.get('QuotaCode')}"
    match operation:
        case "GetServiceQuota" | "GetAWSDefaultServiceQuota" if key in QUOTAS:
            return _answer(200, {"Quota": _described(key)})
        case "GetServiceQuota" | "GetAWSDefaultServiceQuota":
            return _error("NoSuchResourceException", f"The request failed because {key} was not found.")
        case "ListServiceQuotas" | "ListAWSDefaultServiceQuotas":
            mine = [found for found in QUOTAS if found.startswith(f"{given.get('ServiceCode')}/")]
            return _answer(200, {"Quotas": [_described(found) for found in mine]})
        case _:
            return _error("InvalidAction", f"These Service Quotas cannot {operation}")


def _described(key: str) -> dict[str, Any]:
    service, _, code = key.partition("/")
    name, value = QUOTAS[key]
    account, region = scope()
    arn = f"arn:aws:servicequotas:{region}:{account}:{key}"
    return {
        "ServiceCode": service,
        "QuotaCode": code,
        "QuotaName": name,
        "QuotaArn": arn,
        "Value": value,
        "Unit": "None",
    }


def _error(code: str, message: str) -> Any:
    return _answer(400, {"__type": code, "message": message})


def _answer(status: int, content: Mapping[str, Any]) -> Any:
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(content).encode()
