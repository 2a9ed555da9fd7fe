"""The public SSM parameters that name EKS's machine images, which the emulator lacks: any version, any variant.

The image id is invented, but always the same for a parameter. EKS decides whether a version exists.
"""

import hashlib
import json
import re
from typing import Any

from ministack.services import ssm

from emulator.ec2.instance_types import remember_image

_EKS_IMAGE = re.compile(r"/aws/service/eks/optimized-ami/\d\.\d+/[\w./-]+/(image_id|release_version)")
_RELEASE = "20261101"


def install() -> None:
    """Answer GetParameter for EKS's images in this process's emulator."""
    handle = ssm.handle_request

    async def handle_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        if headers.get("x-amz-target") == "AmazonSSM.GetParameter":
            name = str(json.loads(body or b"{}").get("Name"))
            if _EKS_IMAGE.fullmatch(name):
                answer = {"Parameter": _parameter(name)}
                return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()
        return await handle(method, path, headers, body, query)

    ssm.handle_request = handle_request


def _parameter(name: str) -> dict[str, Any]:
    version = name.split("/")[5]
    is_image = name.endswith("image_id")
    if is_image:
        remember_image(f"ami-{hashlib.sha256(name.encode()).hexdigest()[:17]}", name)
    value = f"ami-{hashlib.sha256(name.encode()).hexdigest()[:17]}" if is_image else f"{version}.0-{_RELEASE}"
    return {"Name": name, "Type": "String", "Value": value, "Version": 1, "DataType": "text"}
