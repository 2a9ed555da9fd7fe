"""CloudFormation with the resource types that the emulator lacks, and with deletions that can fail, as they do on AWS.

The emulator keeps one record of functions per resource type: `create(logical_id, properties, stack_name)` returns the
physical id and the attributes, `delete(physical_id, properties)` raises the error for DELETE_FAILED.
ministack itself fails a stack with an unknown type.
"""

from ministack.services.cloudformation import provisioners

from emulator.cloudformation import (
    alarms,
    concurrency,
    conditions,
    dead_letters,
    deletions,
    durations,
    ec2_resources,
    identity_providers,
    instance_profiles,
    permissions,
    protection,
    request_tokens,
    web_acls,
)
from emulator.core.clock import EmulatorClock


def install(clock: EmulatorClock) -> None:
    """Add our types and deletions to the CloudFormation of this process's emulator."""
    durations.install(clock)
    request_tokens.install()
    for resource_type, functions in ec2_resources.RESOURCES.items():
        provisioners._RESOURCE_HANDLERS[resource_type] = dict(functions)
    provisioners._STACK_TAG_PROPERTY |= dict.fromkeys(ec2_resources.TAGGED, ("Tags", "list"))
    for resource_type, delete in deletions.DELETIONS.items():
        provisioners._RESOURCE_HANDLERS[resource_type]["delete"] = delete
    alarms.install()
    concurrency.install()
    conditions.install()
    dead_letters.install()
    identity_providers.install()
    instance_profiles.install()
    permissions.install()
    protection.install()
    web_acls.install()
