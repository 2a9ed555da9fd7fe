"""Creates a lab. One function per Task state of statemachine/provision.asl.json, which says when each runs.

1. `begin` settles the network, lists resources that already bear the lab's name, and moves the lab to PROVISIONING.
2. `create_stack` and `check_stack` create the lab's CloudFormation stack: network, security groups, roles, launch templates.
3. `create_cluster` and `check_cluster` create the control plane; `launch_work_host` starts the work host, if there is one.
4. `create_nodegroups`, `create_addons` and their checks create nodes and add-ons; `grant_access` creates the access entries.
5. `open_security_groups` lets nodes reach the control plane, `verify` checks the whole lab, and `finish` makes it READY.
6. A failure anywhere leads to `roll_back`, which starts the teardown.

A function sends requests or looks once, and returns. It writes a resource on the ledger before or as it requests it. Every
function may run twice: a resource that carries the lab's tag counts as created.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.core.resources import ASKED_FOR, BY_EKS, BY_STACK, EntryState, Kind, Resource
from chalicelib.domain.core.sentence import Sentence, ended, joined
from chalicelib.domain.errors.explain import explain, explain_execution, explain_issues
from chalicelib.domain.errors.patience import pause_for
from chalicelib.domain.errors.tree import AlreadyExists, ProvisioningFailed, ResourceGone, Transient
from chalicelib.domain.labs.arns import cluster_of, ec2_thing, part_of_cluster
from chalicelib.domain.labs.aws_states import RoleState, is_own_cluster
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.polling import POLL_POLICIES
from chalicelib.domain.labs.spec import AddonSpec
from chalicelib.domain.labs.steps import Result, StepResult, execution_name
from chalicelib.domain.stack.launch_templates import key_pair_name
from chalicelib.domain.stack.template import lab_parameters, lab_template
from chalicelib.domain.stack.work_host import work_host_user_data
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.access import (
    access_of,
    first_to_wait_for,
    grant_all,
    grant_own,
    in_words,
    of_other_accounts,
    own_of,
)
from chalicelib.workflows.shared.before import allot_subdomain, look_before
from chalicelib.workflows.shared.cluster import anew_or_failed, stack_token, throttled_stack_goes
from chalicelib.workflows.shared.network import (
    addons_before_nodes,
    addons_of,
    all_subnets,
    guests,
    output,
    roles_of_addon,
    settled_network,
    subnets_in,
    with_birth_dates,
)
from chalicelib.workflows.shared.progress import (
    ENDED_BADLY,
    all_active,
    findings_of,
    note_addon,
    note_cluster,
    note_nodegroup,
)
from chalicelib.workflows.shared.records import (
    WATCH,
    again,
    again_or_failed,
    enter,
    enter_guest,
    learn,
    move,
    on_ledger,
)
from chalicelib.workflows.shared.runner import StepInput

_BEGINNING = (Phase.REQUESTED, Phase.PROVISIONING)


def begin(deps: Deps, at: StepInput) -> StepResult:
    """Settle zones and the VPC of existing subnets, list resources that already bear the lab's name, move to PROVISIONING.

    A workflow that takes over from one that died does not list again: the lab may have created those resources itself.
    """
    lab = at.lab
    network, subnets = settled_network(deps, lab)
    enter_guest(
        deps, lab, guests(lab, subnets), at.now, Sentence("named in the request"), Sentence("The lab is a guest in it.")
    )
    if lab.phase is Phase.REQUESTED:
        look_before(deps, lab, subnets[0].vpc_id if subnets else None, at.now)
        allot_subdomain(deps, lab)

    def begun(stored: Lab) -> Lab:
        vpc_id = subnets[0].vpc_id if subnets else stored.facts.vpc_id
        settled = replace(
            stored,
            spec=replace(stored.spec, network=network),
            facts=replace(stored.facts, vpc_id=vpc_id),
            due_at=at.now + WATCH,
        )
        return settled.moved_to(Phase.PROVISIONING, at.now) if stored.phase is Phase.REQUESTED else settled

    move(deps, lab, _BEGINNING, begun, at.now, Sentence("Provisioning has begun."))
    return StepResult(Result.DONE)


def create_stack(deps: Deps, at: StepInput) -> StepResult:
    """Import the key pair that the launch templates name, then request the lab's stack.

    A stack that failed because AWS throttled CloudFormation is deleted first, and created again with another client token.
    """
    lab, cloud = at.lab, deps.cloud(at.lab.place)
    if throttled_stack_goes(deps, lab):
        return again_or_failed(
            "create_stack", at, f"Stack {lab.stack_name}", Sentence("One that was throttled is going.")
        )
    ssh, key_name, known = lab.spec.ssh, key_pair_name(lab), on_ledger(deps, lab)
    if ssh is not None and ssh.public_key is not None and ssh.key_name is None and key_name is not None:
        key_id = cloud.network.import_key_pair(key_name, ssh.public_key, lab.tags)
        key_pair = ec2_thing(lab, Kind.KEY_PAIR, key_id, key_name=key_name)
        enter(deps, lab, [key_pair], EntryState.PRESENT, at.now, ASKED_FOR, known=known)
    asked = (lab_template(lab), lab_parameters(lab), lab.tags, stack_token(lab))
    stack_id = cloud.stacks.create(lab.stack_name, *asked)
    own = Resource(Kind.STACK, lab.stack_name, stack_id)
    enter(deps, lab, [own], EntryState.REQUESTED, at.now, ASKED_FOR, known=known)
    learn(deps, lab, stack_id=stack_id)
    return StepResult(Result.ASKED, Sentence("Stack {name} is asked for.", name=lab.stack_name))


def check_stack(deps: Deps, at: StepInput) -> StepResult:
    """Wait for the stack; write its resources on the ledger, and keep its outputs."""
    lab, stacks = at.lab, deps.cloud(at.lab.place).stacks
    state = stacks.describe(lab.stack_name)
    if lab.facts.stack_id not in (None, state.id):
        raise ProvisioningFailed(explain("AlreadyExists", f"Another stack has the name {lab.stack_name} now."))
    if state.status == "CREATE_IN_PROGRESS":
        return again_or_failed("create_stack", at, f"Stack {lab.stack_name}", Sentence("CloudFormation is at work."))
    if state.status != "CREATE_COMPLETE":
        return anew_or_failed(deps, lab, state)
    own = Resource(Kind.STACK, lab.stack_name, state.id)
    enter(deps, lab, [own], EntryState.PRESENT, at.now, ASKED_FOR)
    made = stacks.resources(lab.stack_name)
    if not made:
        _wait_for(
            at,
            ResourceGone(
                "cloudformation:ListStackResources", "ValidationError", Sentence("No resource is listed yet.")
            ),
        )
    enter(deps, lab, with_birth_dates(deps, lab, made), EntryState.PRESENT, at.now, BY_STACK)
    roles = _states_of_roles(deps, at, [thing.id for thing in made if thing.kind is Kind.ROLE])
    vpc_id = state.outputs.get("VpcId") or lab.facts.vpc_id
    role_ids = {role.name: role.id for role in roles}
    learn(deps, lab, stack_id=state.id, stack_outputs=dict(state.outputs), vpc_id=vpc_id, role_ids=role_ids)
    return StepResult(Result.DONE, Sentence("Network, groups and roles are there."))


def _states_of_roles(deps: Deps, at: StepInput, names: list[str]) -> tuple[RoleState, ...]:
    """The stack's roles with their unique ids, which prove ownership later. IAM may not know a new role at once."""
    roles = deps.cloud(at.lab.place).roles.states(names)
    if unknown := sorted(set(names) - {role.name for role in roles}):
        _wait_for(
            at,
            ResourceGone(
                "iam:GetRole", "NoSuchEntity", Sentence("IAM does not know {names} yet.", names=", ".join(unknown))
            ),
        )
    return roles


def _wait_for(at: StepInput, unknown: ResourceGone) -> None:
    """Raise the error while it is worth waiting; after that, go on without the resource."""
    if pause_for(unknown, "provision", at.lab.id, at.waited) is not None:
        raise unknown


def create_cluster(deps: Deps, at: StepInput) -> StepResult:
    """Request the control plane. A cluster of that name that is not the lab's stays untouched, and the lab fails."""
    lab = at.lab
    enter(deps, lab, [cluster_of(lab)], EntryState.REQUESTED, at.now, ASKED_FOR)
    group = output(lab, "ControlPlaneSecurityGroupId")
    try:
        state = deps.cloud(lab.place).clusters.create(lab, output(lab, "ClusterRoleArn"), all_subnets(lab), (group,))
    except AlreadyExists as error:
        if pause_for(error, "provision", lab.id, at.waited) is not None:
            raise
        enter_guest(
            deps,
            lab,
            [cluster_of(lab)],
            at.now,
            ASKED_FOR,
            Sentence("It was there before the lab, and is not the lab's."),
        )
        raise ProvisioningFailed(explain("AlreadyExists", error.message)) from error
    note_cluster(deps, at, state)
    return StepResult(Result.ASKED, Sentence("Control plane {name} is asked for.", name=lab.name))


def check_cluster(deps: Deps, at: StepInput) -> StepResult:
    """Wait for the control plane; keep the facts that EKS returns, so that teardown never needs to ask the cluster."""
    lab = at.lab
    state = deps.cloud(lab.place).clusters.describe(lab.name)
    if not is_own_cluster(lab, state):
        raise ProvisioningFailed(explain("AlreadyExists", f"Another cluster has the name {lab.name} now."))
    note_cluster(deps, at, state)
    if state.status == "ACTIVE":
        return StepResult(Result.DONE, Sentence("Kubernetes {version} is up.", version=state.version))
    if state.status in ENDED_BADLY:
        raise ProvisioningFailed(explain_issues(state.issues, f"The control plane is {state.status}."))
    return again_or_failed("create_cluster", at, "The control plane", Sentence("It is {status}.", status=state.status))


def launch_work_host(deps: Deps, at: StepInput) -> StepResult:
    """Start the work host, if the lab has one, in its first public subnet."""
    lab = at.lab
    if lab.spec.work_host is None:
        return StepResult(Result.SKIPPED, Sentence("Not asked for."))
    known = on_ledger(deps, lab)
    group, profile = output(lab, "WorkHostSecurityGroupId"), output(lab, "WorkHostProfileName")
    instance_id = deps.cloud(lab.place).network.run_work_host(
        lab, all_subnets(lab)[0], group, profile, work_host_user_data(lab)
    )
    enter(deps, lab, [ec2_thing(lab, Kind.INSTANCE, instance_id)], EntryState.PRESENT, at.now, ASKED_FOR, known=known)
    return StepResult(Result.DONE, Sentence("{instance} is starting.", instance=instance_id))


def create_nodegroups(deps: Deps, at: StepInput) -> StepResult:
    """Request the add-ons that a node needs to become Ready, without waiting, then every node group from its launch template."""
    lab, clusters = at.lab, deps.cloud(at.lab.place).clusters
    _ask_for_addons(deps, at, addons_before_nodes(lab))
    role = output(lab, "NodeRoleArn")
    for n, spec in enumerate(lab.spec.nodegroups):
        template = output(lab, f"LaunchTemplate{n}Id"), output(lab, f"LaunchTemplate{n}Version")
        clusters.create_nodegroup(lab, spec, role, subnets_in(lab, spec.placement), template)
    for spec in lab.spec.nodegroups:
        note_nodegroup(deps, at, clusters.nodegroup(lab.name, spec.name))
    return StepResult(Result.ASKED, ", ".join(spec.name for spec in lab.spec.nodegroups))


def check_nodegroups(deps: Deps, at: StepInput) -> StepResult:
    """Wait for all node groups; the step's detail shows the health issues that EKS reports meanwhile."""
    lab, clusters = at.lab, deps.cloud(at.lab.place).clusters
    states = [clusters.nodegroup(lab.name, spec.name) for spec in lab.spec.nodegroups]
    for state in states:
        note_nodegroup(deps, at, state)
    return all_active("create_nodegroups", at, "node group", states)


def create_addons(deps: Deps, at: StepInput) -> StepResult:
    """Request the add-ons and the Pod Identity associations. Add-ons requested before the nodes count as created."""
    lab, clusters = at.lab, deps.cloud(at.lab.place).clusters
    _ask_for_addons(deps, at, addons_of(lab))
    for association in lab.spec.pod_identities:
        arn = clusters.associate_pod_identity(lab, association)
        part = part_of_cluster(lab, Kind.POD_IDENTITY, arn.rpartition("/")[2], arn)
        enter(deps, lab, [part], EntryState.PRESENT, at.now, ASKED_FOR)
    return StepResult(Result.ASKED, ", ".join(addon.name for addon in addons_of(lab)))


def _ask_for_addons(deps: Deps, at: StepInput, addons: Sequence[AddonSpec]) -> None:
    lab, clusters = at.lab, deps.cloud(at.lab.place).clusters
    for addon in addons:
        clusters.create_addon(lab, addon, roles_of_addon(lab, addon))
    for addon in addons:
        note_addon(deps, at, clusters.addon(lab.name, addon.name))


def check_addons(deps: Deps, at: StepInput) -> StepResult:
    """Wait for all add-ons. An add-on without nodes to run on is DEGRADED until they join: the step waits for that, too."""
    lab, clusters = at.lab, deps.cloud(at.lab.place).clusters
    states = [clusters.addon(lab.name, addon.name) for addon in addons_of(lab)]
    for state in states:
        note_addon(deps, at, state)
    made = [part_of_cluster(lab, Kind.POD_IDENTITY, own.id, own.arn) for own in clusters.pod_identities(lab.name)]
    enter(deps, lab, made, EntryState.PRESENT, at.now, BY_EKS)
    return all_active("create_addons", at, "add-on", states, ENDED_BADLY - {"DEGRADED"})


def grant_access(deps: Deps, at: StepInput) -> StepResult:
    """Create the access entries. Without one, only the service's own role could log in, and that role is read-only.

    A principal of another account can't be looked up from here: the lab is ready although EKS refuses its entry.
    """
    lab = at.lab
    refused = grant_all(deps, lab, access_of(lab), at.now)
    waiting = first_to_wait_for(refused, "provision", at.waited)
    final = [error for principal, error in refused.items() if principal not in of_other_accounts(lab)]
    if (error := waiting or next(iter(final), None)) is not None:
        raise error
    text = grant_own(deps, lab, at.now, "provision", at.waited)
    made = [in_words(lab, one) for one in access_of(lab) if one.principal_arn not in refused]
    left = [
        Sentence("{principal} can't get in: {message}", principal=principal, message=error.message)
        for principal, error in refused.items()
    ]
    return StepResult(Result.DONE, joined((ended(joined(made, ", ")), ended(text), *left)))


def open_security_groups(deps: Deps, at: StepInput) -> StepResult:
    """Let nodes and the work host into the cluster security group. EKS deletes the group, and these rules, with the cluster."""
    lab, network = at.lab, deps.cloud(at.lab.place).network
    group = lab.facts.cluster_security_group_id
    if group is None:
        raise Transient(f"EKS does not tell the security group of {lab.name} yet.")
    network.allow_ingress(group, output(lab, "NodeSecurityGroupId"), "-1", None, "nodes of the lab")
    if lab.spec.work_host is not None:
        host_group = output(lab, "WorkHostSecurityGroupId")
        network.allow_ingress(group, host_group, "tcp", 443, "work host of the lab")
    return StepResult(Result.DONE, Sentence("Nodes may reach the control plane ({group}).", group=group))


def verify(deps: Deps, at: StepInput) -> StepResult:
    """Check endpoint, nodes, add-ons and access. A missing part fails the lab after the step's last attempt."""
    access = (*access_of(at.lab), *own_of(at.lab))
    found = findings_of(deps, at.lab, addons_of(at.lab), access, of_other_accounts(at.lab))
    if not found.missing:
        return StepResult(Result.DONE, Sentence("All is there; {notes}.", notes=joined(found.notes, "; ")))
    if POLL_POLICIES["verify"].is_out(at.attempt):
        raise ProvisioningFailed(found.failure)
    return again("verify", Sentence("Not yet: {missing}.", missing=joined(found.missing, "; ")))


def finish(deps: Deps, at: StepInput) -> StepResult:
    """Move the lab to READY. The hourly curfew run looks at it next."""

    def ready(stored: Lab) -> Lab:
        return replace(stored.moved_to(Phase.READY, at.now), due_at=at.now)

    move(deps, at.lab, _BEGINNING, ready, at.now, Sentence("The lab is ready."))
    return StepResult(Result.DONE)


def roll_back(deps: Deps, at: StepInput) -> StepResult:
    """Record why the lab failed and start its teardown. If the start gets lost, the scheduled run starts it again."""
    text = explain_execution(at.event.get("failure"))

    def rolling_back(stored: Lab) -> Lab:
        reason, responsible = stored.reason or text.reason, stored.responsible or text.responsible
        moved = stored.moved_to(Phase.ROLLING_BACK, at.now, reason, responsible)
        return replace(moved, run=stored.run + 1, due_at=at.now + timedelta(minutes=1))

    lab = move(
        deps, at.lab, _BEGINNING, rolling_back, at.now, Sentence("What was made is being taken away again."), text
    )
    deps.workflows.start("teardown", execution_name(lab, "teardown"), {"lab_id": lab.id})
    return StepResult(Result.DONE, lab.reason or "")
