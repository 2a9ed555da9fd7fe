"""Put this package's parts into ministack: EKS, named Lambda errors, stricter EC2, CloudFormation and IAM.

Every part replaces or wraps one service handler *behind* ministack's IAM enforcement, so that a call to it needs the same
permission as on AWS. Import this only in the server's own process, with its environment already set.
"""

from ministack import app

from emulator import cloudformation, cloudtrail, cloudwatch, ec2, elb
from emulator.core import bill, service_files
from emulator.core.clients import AwsClients
from emulator.core.clock import EmulatorClock
from emulator.core.settings import Settings
from emulator.ec2 import autoscaling
from emulator.eks import Eks
from emulator.eks.kubernetes import KubernetesServers
from emulator.iam import enforcement, policies, regions, requests, sessions
from emulator.lambdas import code, credentials, errors, fork_server, gate, service, timeouts
from emulator.server.admin import AsgiApp, with_admin_routes
from emulator.server.routes import Parts, routes
from emulator.services import (
    account_plan,
    cost_explorer,
    expressions,
    hosted_login,
    interruptions,
    lag,
    limits,
    path_parts,
    price_list,
    quotas,
    ses,
    ssm_parameters,
    state_machines,
    step_functions,
    tagging,
)


def mounted_app(settings: Settings, url: str) -> AsgiApp:
    """Return the ASGI application of the whole emulator, listening at `url`."""
    service_files.install()
    clock = EmulatorClock(settings.scale)
    kubernetes = KubernetesServers()
    aws = AwsClients(url)
    eks = Eks(clock=clock, aws=aws, kubernetes=kubernetes)
    _install_what_runs(settings.shared_imports)
    ec2.install()
    elb.install(clock)
    autoscaling.install(clock, aws, eks.replace_node)
    cloudformation.install(clock)
    for additional in (
        ssm_parameters,
        quotas,
        account_plan,
        price_list,
        cost_explorer,
        path_parts,
        hosted_login,
        expressions,
    ):
        additional.install()
    ses.install(clock)
    tagging.install(eks)
    activities = cloudwatch.Activities(clock, eks.world)
    cloudwatch.install(activities, eks.faults)
    if not settings.real_kubernetes:
        app._loaded_modules["eks"] = eks
    lag.install(eks.world.lag, settings.recorded_roles)
    _install_iam(settings.recorded_roles)
    bill.install()
    history = cloudtrail.install(clock, eks.faults)
    parts = Parts(settings, url, clock, eks, kubernetes, activities, history, interruptions.install())
    return with_admin_routes(app.app, routes(parts))


def _install_iam(recorded_roles: str) -> None:
    """Last but for watches: it reads the final state of every service."""
    policies.install()
    enforcement.install()
    regions.install()
    sessions.install()
    requests.install(recorded_roles)


def _install_what_runs(shared_imports: bool) -> None:
    fork_server.install(shared_imports)
    code.install()
    credentials.install()
    errors.install()
    timeouts.install()
    gate.install()
    service.install()
    step_functions.install()
    limits.install()
    state_machines.install()
