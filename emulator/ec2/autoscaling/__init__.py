"""Auto Scaling groups that launch instances, replace those that are terminated, and report who belongs to them."""

from emulator.ec2.autoscaling.actions import install

__all__ = ["install"]
