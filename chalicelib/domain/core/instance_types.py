"""Reads an EC2 instance type's name: processor architecture and accelerator, hence the EKS image it needs.

A name is family, generation, attributes: `m6gd.large` is an m of generation 6 with Graviton (g) and local disks (d).
"""

from __future__ import annotations

from chalicelib.domain.core.deferred import pattern

_NAME = pattern(r"([a-z]+)(\d+)([a-z0-9-]*)\.")
_NVIDIA = ("g", "gr", "p")
_NEURON = ("inf", "trn")
#: Habana's and Qualcomm's accelerators, FPGAs, video transcoders: no EKS image of their own.
_OTHER_ACCELERATED = ("dl", "f", "vt")


def ami_type(instance_type: str) -> str:
    """The Amazon Linux 2023 image that fits, as EKS's amiType. A name of unknown form counts as plain x86."""
    name = _NAME.match(instance_type)
    if name is None:
        return "AL2023_x86_64_STANDARD"
    family, arm = name[1], architecture_of(instance_type) == "arm64"
    if family in _NVIDIA:
        return "AL2023_ARM_64_NVIDIA" if arm else "AL2023_x86_64_NVIDIA"
    if family in _NEURON:
        return "AL2023_x86_64_NEURON"
    return "AL2023_ARM_64_STANDARD" if arm else "AL2023_x86_64_STANDARD"


def architecture_of(instance_type: str) -> str:
    """`arm64` or `x86_64`, as in the names of Amazon Linux's images. a1 was the first with AWS's own ARM processors."""
    name = _NAME.match(instance_type)
    return "arm64" if name and (name[1] == "a" or "g" in name[3]) else "x86_64"


def family_of(instance_type: str) -> str:
    """The leading letters: `m` of m6gd.large; empty for a name of unknown form."""
    name = _NAME.match(instance_type)
    return name[1] if name else ""


def is_accelerated(instance_type: str) -> bool:
    """Whether it has GPUs or Neuron devices."""
    name = _NAME.match(instance_type)
    return name is not None and name[1] in (*_NVIDIA, *_NEURON, *_OTHER_ACCELERATED)
