"""EC2 as strict as AWS's: resources in use cannot be deleted, instances have interfaces and disks, filters filter.

The emulator answers every EC2 call from a table of functions, one for each action. `install` puts ours around some of
them: a refusal before, an effect after, filters and pages on what a Describe returns. CloudFormation's own handlers
go through the same table (see `emulator/cloudformation/`), so a stack meets the same refusals.
"""

from emulator.ec2 import (
    addresses,
    client_tokens,
    dependencies,
    endpoints,
    filters,
    instance_types,
    instances,
    interfaces,
    key_pairs,
    launch_templates,
    limits,
    nat_gateways,
    taggable,
)
from emulator.ec2.actions import ACTIONS, answering


def install() -> None:
    """Correct the EC2 of this process's emulator."""
    interfaces.install()
    instances.install()
    instance_types.install()
    nat_gateways.install()
    addresses.install()
    endpoints.install()
    key_pairs.install()
    launch_templates.install()
    taggable.install()
    dependencies.install()
    client_tokens.install()
    limits.install()
    filters.install()
    for action, function in list(ACTIONS.items()):
        ACTIONS[action] = answering(function)
