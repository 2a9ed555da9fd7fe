"""Instance types, only those that exist, each with its architecture and number of virtual CPUs; architectures of images.

Which exist is read off the EC2 model's `InstanceType`; the rest follows AWS's naming: a `g` after the generation's digit
is Graviton, and `xlarge` has four CPUs. Everything else of a type (memory, network) is the emulator's guess.
"""

import re
from functools import cache
from typing import Any

import botocore.session

from emulator.core.scope import scope
from emulator.ec2.actions import ACTIONS, Action, Params, Refused, members, param, success

_TYPE = re.compile(r"[a-z-]+\d+(?P<attributes>[a-z-]*)\.(?P<multiple>\d*)(?P<size>[a-z-]+)")
ZONES = "abc"
#: Instance types that accounts on the free plan may run, as of July 2025.
FREE_TIER = frozenset({"t3.micro", "t3.small", "t4g.micro", "t4g.small", "c7i-flex.large", "m7i-flex.large"})
#: Architectures of the machine images that public SSM parameters named.
_IMAGES: dict[str, str] = {}


def install() -> None:
    """Correct DescribeInstanceTypes and add DescribeInstanceTypeOfferings."""
    ACTIONS["DescribeInstanceTypes"] = _known(ACTIONS["DescribeInstanceTypes"])
    ACTIONS["DescribeInstanceTypeOfferings"] = _offerings


def remember_image(image_id: str, parameter: str) -> None:
    """Take an image's architecture from the name of the parameter that names it."""
    _IMAGES[image_id] = "arm64" if "arm64" in parameter or "aarch64" in parameter else "x86_64"


def architecture_of_image(image_id: str) -> str:
    """The image's architecture, "" where it is not known."""
    return _IMAGES.get(image_id, "")


def architecture(instance_type: str) -> str:
    """Return `arm64` or `x86_64`."""
    found = _TYPE.match(instance_type)
    return "arm64" if instance_type.startswith("a1.") or (found and "g" in found["attributes"]) else "x86_64"


def virtual_cpus(instance_type: str) -> int:
    """Return the number of virtual CPUs that the size stands for."""
    found = _TYPE.match(instance_type)
    if found and found["size"] == "xlarge":
        return 4 * int(found["multiple"] or 1)
    return 2 if instance_type.startswith(("t3", "t4")) or instance_type.endswith(".large") else 1


@cache
def existing() -> frozenset[str]:
    """Return every instance type that the EC2 model names."""
    model = botocore.session.get_session().get_service_model("ec2")
    return frozenset(model.shape_for("InstanceType").enum)


def _known(describe: Action) -> Action:
    def describe_known(params: Params) -> Any:
        _refuse_unknown(members(params, "InstanceType"))
        if (filtered := _by_filter(params)) is not None:
            if not filtered:
                return success("DescribeInstanceTypes", "<instanceTypeSet/>")
            params = {**params, **{f"InstanceType.{n}": [each] for n, each in enumerate(filtered, 1)}}
        status, headers, body = describe(params)
        items = re.split(r"(?=<instanceType>)", body.decode())
        return status, headers, "".join(map(_corrected, items)).encode()

    return describe_known


def _corrected(item: str) -> str:
    found = re.match(r"<instanceType>([^<]+)", item)
    if found is None:
        return item
    cpus = virtual_cpus(found[1])
    item = re.sub(r"<defaultVCpus>\d+<", f"<defaultVCpus>{cpus}<", item)
    item = re.sub(r"<defaultCores>\d+<", f"<defaultCores>{max(1, cpus // 2)}<", item)
    return item.replace("<item>x86_64</item>", f"<item>{architecture(found[1])}</item>")


def _offerings(params: Params) -> Any:
    wanted = _by_filter(params) or []
    kind, region = param(params, "LocationType") or "region", scope()[1]
    places = [f"{region}{zone}" for zone in ZONES] if kind == "availability-zone" else [region]
    items = "".join(
        f"<item><instanceType>{each}</instanceType><locationType>{kind}</locationType><location>{place}</location></item>"
        for each in wanted
        for place in places
    )
    return success("DescribeInstanceTypeOfferings", f"<instanceTypeOfferingSet>{items}</instanceTypeOfferingSet>")


def _by_filter(params: Params) -> list[str] | None:
    """The existing types that the filters name; None without such a filter."""
    wanted, number = None, 1
    while name := param(params, f"Filter.{number}.Name"):
        if name == "free-tier-eligible":
            wanted, number = sorted(FREE_TIER), number + 1
            continue
        if name != "instance-type":
            raise Refused("InvalidParameterValue", f"The filter '{name}' is invalid")
        wanted = [each for each in members(params, f"Filter.{number}.Value") if each in existing()]
        number += 1
    return wanted


def _refuse_unknown(asked_for: list[str]) -> None:
    if unknown := [each for each in asked_for if each not in existing()]:
        message = f"The following supplied instance types do not exist: [{', '.join(unknown)}]"
        raise Refused("InvalidInstanceType", message)
