"""The door, and the table of contents of everything deployed: routes, one Lambda per workflow step, the schedule.

No decisions here. Importing this file does no I/O and needs no environment variable: `chalice package` imports it.
Step Lambdas and schedules stand here, not in blueprints: those lose the middleware when deployed.
"""

from __future__ import annotations

from typing import Any

from chalice import Chalice, ConvertToMiddleware, Rate

from chalicelib.api.routes import make_blueprint
from chalicelib.logs import invocation_lines
from chalicelib.wiring import get_deps, get_people
from chalicelib.workflows import (
    hibernate,
    inspect,
    provision,
    starting,
    sweep_idle,
    teardown,
    tend,
    update,
    wake,
    watch_support,
)
from chalicelib.workflows.running import run_step, run_watch_step

app = Chalice(app_name="ekslab")
app.register_middleware(ConvertToMiddleware(invocation_lines))
app.register_blueprint(make_blueprint(get_deps, get_people))

Event = dict[str, Any]


@app.schedule(Rate(5, unit=Rate.MINUTES), name="tend_labs")
def tend_labs(event: Any) -> Event:
    return tend.run(get_deps(), event.to_dict().get("time"))


@app.schedule(Rate(1, unit=Rate.DAYS), name="start_watch_support")
def start_watch_support(event: Any) -> Event:
    return starting.start_watch_support(get_deps(), event.to_dict().get("time"))


@app.schedule(Rate(1, unit=Rate.HOURS), name="start_sweep_idle")
def start_sweep_idle(event: Any) -> Event:
    return starting.start_sweep_idle(get_deps(), event.to_dict().get("time"))


@app.on_cw_event({"source": ["aws.health"], "detail-type": ["AWS Health Event"]}, name="take_health_event")
def take_health_event(event: Any) -> Event:
    return starting.take_health_event(get_deps(), event.to_dict())


@app.lambda_function(name="provision_begin")
def provision_begin(event: Event, context: object) -> Event:
    return run_step(get_deps(), provision.begin, event)


@app.lambda_function(name="provision_create_stack")
def provision_create_stack(event: Event, context: object) -> Event:
    return run_step(get_deps(), provision.create_stack, event)


@app.lambda_function(name="provision_check_stack")
def provision_check_stack(event: Event, context: object) -> Event:
    return run_step(get_deps(), provision.check_stack, event)


@app.lambda_function(name="provision_create_cluster")
def provision_create_cluster(event: Event, context: object) -> Event:
    return run_step(get_deps(), provision.create_cluster, event)


@app.lambda_function(name="provision_check_cluster")
def provision_check_cluster(event: Event, context: object) -> Event:
    return run_step(get_deps(), provision.check_cluster, event)


@app.lambda_function(name="provision_launch_work_host")
def provision_launch_work_host(event: Event, context: object) -> Event:
    return run_step(get_deps(), provision.launch_work_host, event)


@app.lambda_function(name="provision_create_nodegroups")
def provision_create_nodegroups(event: Event, context: object) -> Event:
    return run_step(get_deps(), provision.create_nodegroups, event)


@app.lambda_function(name="provision_check_nodegroups")
def provision_check_nodegroups(event: Event, context: object) -> Event:
    return run_step(get_deps(), provision.check_nodegroups, event)


@app.lambda_function(name="provision_create_addons")
def provision_create_addons(event: Event, context: object) -> Event:
    return run_step(get_deps(), provision.create_addons, event)


@app.lambda_function(name="provision_check_addons")
def provision_check_addons(event: Event, context: object) -> Event:
    return run_step(get_deps(), provision.check_addons, event)


@app.lambda_function(name="provision_grant_access")
def provision_grant_access(event: Event, context: object) -> Event:
    return run_step(get_deps(), provision.grant_access, event)


@app.lambda_function(name="provision_open_security_groups")
def provision_open_security_groups(event: Event, context: object) -> Event:
    return run_step(get_deps(), provision.open_security_groups, event)


@app.lambda_function(name="provision_verify")
def provision_verify(event: Event, context: object) -> Event:
    return run_step(get_deps(), provision.verify, event)


@app.lambda_function(name="provision_finish")
def provision_finish(event: Event, context: object) -> Event:
    return run_step(get_deps(), provision.finish, event)


@app.lambda_function(name="provision_roll_back")
def provision_roll_back(event: Event, context: object) -> Event:
    return run_step(get_deps(), provision.roll_back, event)


@app.lambda_function(name="update_begin")
def update_begin(event: Event, context: object) -> Event:
    return run_step(get_deps(), update.begin, event)


@app.lambda_function(name="update_change_endpoint")
def update_change_endpoint(event: Event, context: object) -> Event:
    return run_step(get_deps(), update.change_endpoint, event)


@app.lambda_function(name="update_check_endpoint")
def update_check_endpoint(event: Event, context: object) -> Event:
    return run_step(get_deps(), update.check_endpoint, event)


@app.lambda_function(name="update_scale_nodegroups")
def update_scale_nodegroups(event: Event, context: object) -> Event:
    return run_step(get_deps(), update.scale_nodegroups, event)


@app.lambda_function(name="update_check_nodegroups")
def update_check_nodegroups(event: Event, context: object) -> Event:
    return run_step(get_deps(), update.check_nodegroups, event)


@app.lambda_function(name="update_finish")
def update_finish(event: Event, context: object) -> Event:
    return run_step(get_deps(), update.finish, event)


@app.lambda_function(name="update_give_up")
def update_give_up(event: Event, context: object) -> Event:
    return run_step(get_deps(), update.give_up, event)


@app.lambda_function(name="hibernate_begin")
def hibernate_begin(event: Event, context: object) -> Event:
    return run_step(get_deps(), hibernate.begin, event)


@app.lambda_function(name="hibernate_revoke_access")
def hibernate_revoke_access(event: Event, context: object) -> Event:
    return run_step(get_deps(), hibernate.revoke_access, event)


@app.lambda_function(name="hibernate_shrink_nodegroups")
def hibernate_shrink_nodegroups(event: Event, context: object) -> Event:
    return run_step(get_deps(), hibernate.shrink_nodegroups, event)


@app.lambda_function(name="hibernate_finish")
def hibernate_finish(event: Event, context: object) -> Event:
    return run_step(get_deps(), hibernate.finish, event)


@app.lambda_function(name="hibernate_give_up")
def hibernate_give_up(event: Event, context: object) -> Event:
    return run_step(get_deps(), hibernate.give_up, event)


@app.lambda_function(name="wake_begin")
def wake_begin(event: Event, context: object) -> Event:
    return run_step(get_deps(), wake.begin, event)


@app.lambda_function(name="wake_restore_nodegroups")
def wake_restore_nodegroups(event: Event, context: object) -> Event:
    return run_step(get_deps(), wake.restore_nodegroups, event)


@app.lambda_function(name="wake_verify_nodes")
def wake_verify_nodes(event: Event, context: object) -> Event:
    return run_step(get_deps(), wake.verify_nodes, event)


@app.lambda_function(name="wake_grant_access")
def wake_grant_access(event: Event, context: object) -> Event:
    return run_step(get_deps(), wake.grant_access, event)


@app.lambda_function(name="wake_finish")
def wake_finish(event: Event, context: object) -> Event:
    return run_step(get_deps(), wake.finish, event)


@app.lambda_function(name="wake_give_up")
def wake_give_up(event: Event, context: object) -> Event:
    return run_step(get_deps(), wake.give_up, event)


@app.lambda_function(name="teardown_begin")
def teardown_begin(event: Event, context: object) -> Event:
    return run_step(get_deps(), teardown.begin, event)


@app.lambda_function(name="teardown_revoke_access")
def teardown_revoke_access(event: Event, context: object) -> Event:
    return run_step(get_deps(), teardown.revoke_access, event)


@app.lambda_function(name="teardown_take_stock")
def teardown_take_stock(event: Event, context: object) -> Event:
    return run_step(get_deps(), teardown.take_stock, event)


@app.lambda_function(name="teardown_sweep_kubernetes")
def teardown_sweep_kubernetes(event: Event, context: object) -> Event:
    return run_step(get_deps(), teardown.sweep_kubernetes, event)


@app.lambda_function(name="teardown_delete_nodegroups")
def teardown_delete_nodegroups(event: Event, context: object) -> Event:
    return run_step(get_deps(), teardown.delete_nodegroups, event)


@app.lambda_function(name="teardown_terminate_instances")
def teardown_terminate_instances(event: Event, context: object) -> Event:
    return run_step(get_deps(), teardown.terminate_instances, event)


@app.lambda_function(name="teardown_sweep_leftovers")
def teardown_sweep_leftovers(event: Event, context: object) -> Event:
    return run_step(get_deps(), teardown.sweep_leftovers, event)


@app.lambda_function(name="teardown_delete_cluster")
def teardown_delete_cluster(event: Event, context: object) -> Event:
    return run_step(get_deps(), teardown.delete_cluster, event)


@app.lambda_function(name="teardown_sweep_remains")
def teardown_sweep_remains(event: Event, context: object) -> Event:
    return run_step(get_deps(), teardown.sweep_remains, event)


@app.lambda_function(name="teardown_delete_stack")
def teardown_delete_stack(event: Event, context: object) -> Event:
    return run_step(get_deps(), teardown.delete_stack, event)


@app.lambda_function(name="teardown_take_inventory")
def teardown_take_inventory(event: Event, context: object) -> Event:
    return run_step(get_deps(), teardown.take_inventory, event)


@app.lambda_function(name="teardown_finish")
def teardown_finish(event: Event, context: object) -> Event:
    return run_step(get_deps(), teardown.finish, event)


@app.lambda_function(name="teardown_block")
def teardown_block(event: Event, context: object) -> Event:
    return run_step(get_deps(), teardown.block, event)


@app.lambda_function(name="inspect_look")
def inspect_look(event: Event, context: object) -> Event:
    return run_step(get_deps(), inspect.look, event)


@app.lambda_function(name="inspect_remove_stragglers")
def inspect_remove_stragglers(event: Event, context: object) -> Event:
    return run_step(get_deps(), inspect.remove_stragglers, event)


@app.lambda_function(name="watch_support_begin")
def watch_support_begin(event: Event, context: object) -> Event:
    return run_watch_step(get_deps(), watch_support.begin, event)


@app.lambda_function(name="watch_support_scan_place")
def watch_support_scan_place(event: Event, context: object) -> Event:
    return run_watch_step(get_deps(), watch_support.scan_place, event)


@app.lambda_function(name="watch_support_lose_place")
def watch_support_lose_place(event: Event, context: object) -> Event:
    return run_watch_step(get_deps(), watch_support.lose_place, event)


@app.lambda_function(name="watch_support_decide_notices")
def watch_support_decide_notices(event: Event, context: object) -> Event:
    return run_watch_step(get_deps(), watch_support.decide_notices, event)


@app.lambda_function(name="watch_support_deliver_notices")
def watch_support_deliver_notices(event: Event, context: object) -> Event:
    return run_watch_step(get_deps(), watch_support.deliver_notices, event)


@app.lambda_function(name="watch_support_finish")
def watch_support_finish(event: Event, context: object) -> Event:
    return run_watch_step(get_deps(), watch_support.finish, event)


@app.lambda_function(name="sweep_idle_begin")
def sweep_idle_begin(event: Event, context: object) -> Event:
    return run_watch_step(get_deps(), sweep_idle.begin, event)


@app.lambda_function(name="sweep_idle_examine")
def sweep_idle_examine(event: Event, context: object) -> Event:
    return run_watch_step(get_deps(), sweep_idle.examine, event)


@app.lambda_function(name="sweep_idle_warn")
def sweep_idle_warn(event: Event, context: object) -> Event:
    return run_watch_step(get_deps(), sweep_idle.warn, event)


@app.lambda_function(name="sweep_idle_brake")
def sweep_idle_brake(event: Event, context: object) -> Event:
    return run_watch_step(get_deps(), sweep_idle.brake, event)


@app.lambda_function(name="sweep_idle_act")
def sweep_idle_act(event: Event, context: object) -> Event:
    return run_watch_step(get_deps(), sweep_idle.act, event)


@app.lambda_function(name="sweep_idle_put_off_one")
def sweep_idle_put_off_one(event: Event, context: object) -> Event:
    return run_watch_step(get_deps(), sweep_idle.put_off_one, event)


@app.lambda_function(name="sweep_idle_find_orphans")
def sweep_idle_find_orphans(event: Event, context: object) -> Event:
    return run_watch_step(get_deps(), sweep_idle.find_orphans, event)


@app.lambda_function(name="sweep_idle_finish")
def sweep_idle_finish(event: Event, context: object) -> Event:
    return run_watch_step(get_deps(), sweep_idle.finish, event)
