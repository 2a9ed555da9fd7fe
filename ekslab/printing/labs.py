"""Answers as lines for a terminal. Each function takes an answer's JSON and yields lines; unknown fields are ignored."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ekslab.printing.problems import findings
from ekslab.printing.states import state, whose
from ekslab.printing.tables import sentence, table
from ekslab.printing.times import at_clock, at_local, at_second, zone_of
from ekslab.printing.yaml_text import dump
from ekslab.words import t

Json = Any
_ARN = re.compile(r"arn:[\w-]+:[^\s;,]*[^\s;,:.]")
_TIMES = ("STARTED", "ENDED")
#: Where the text of an inventory's line begins.
_PART = 15


def lab_table(labs: Sequence[Json], fit: int | None = None) -> Iterator[str]:
    """One line a lab; times in the lab's zone, and in UTC where there is room for all (`fit` None)."""
    if not labs:
        yield t("No labs.")
        return
    head = ["ID", "NAME", "PHASE", "VERSION", "REGION", "LEASE ENDS"]
    rows = [[*(lab[key] for key in ("id", "name", "phase", "version", "region")), local(lab)] for lab in labs]
    if fit is None:
        head += ["LEASE ENDS (UTC)", "CREATED (UTC)", "ACCOUNT", "OWNER"]
        rows = [
            [*row, lab["leaseEndsAt"], lab["createdAt"], lab["account"], lab["owner"]]
            for row, lab in zip(rows, labs, strict=True)
        ]
    yield from table(head, rows, fit, keep=("ID", "PHASE", "VERSION"))


def local(lab: Json) -> str:
    """The end of a lab's lease on its owner's clock, in short: `Tue 24 Nov 03:00`."""
    return str(lab["leaseEndsLocal"]).partition(" (")[0]


def nodegroup_table(groups: Sequence[Json], fit: int | None = None) -> Iterator[str]:
    """One line a node group."""
    if not groups:
        yield t("No node groups.")
        return
    keys = ("name", "status", "desired", "version")
    rows = [[*(group.get(key) for key in keys), ", ".join(group["instanceTypes"])] for group in groups]
    yield from table(("NODEGROUP", "STATUS", "NODES", "VERSION", "INSTANCE TYPES"), rows, fit, keep=("NODEGROUP",))


def accepted(lab: Json) -> Iterator[str]:
    """The stored lab; for a new one its end and its cost; and warnings."""
    yield t("{id}  {name} is {phase}.", id=lab["id"], name=lab["name"], phase=state(lab["phase"]))
    if lab.get("cost"):
        yield from _ahead(lab)
    yield from findings(lab["warnings"])


def dry_run(plan: Json) -> Iterator[str]:
    """The completed request, its cost, and warnings."""
    yield from dump(plan["spec"])
    yield ""
    yield from _ahead(plan)
    yield from _by_part(plan["cost"])
    yield from findings(plan["warnings"])
    yield t("This was a dry run: nothing is made.")


def _by_part(cost: Json) -> Iterator[str]:
    """The cost of each part, an hour and for the lease, awake and asleep; and the source of the prices."""
    rows = [
        (
            t("{name}, from {day}", name=part["name"], day=part["from"]) if part["from"] else part["name"],
            *_amounts_of(part),
        )
        for part in cost["parts"]
    ]
    yield ""
    yield from table(("PART", "AN HOUR", "ASLEEP", "LEASE", "ASLEEP"), rows)
    for kind in cost["unknown"]:
        yield t("no price is known for {kind}: all of this is at least so much", kind=kind)
    yield t("prices      {source}", source=cost["source"])


def _amounts_of(part: Json) -> tuple[str, ...]:
    hours = (f"${part[name]:.4f}" for name in ("usdAnHour", "usdAnHourAsleep"))
    return (*hours, *(f"${part[name]:,.2f}" for name in ("usd", "usdAsleep")))


def _ahead(lab: Json) -> Iterator[str]:
    cost, curfew = lab["cost"], lab["nextCurfew"]
    yield t("lease ends  {at}", at=lab["leaseEndsLocal"])
    yield t("curfew      {at}", at=curfew["local"] if curfew else t("none"))
    yield t("price       {message}", message=cost["message"])


def lab(view: Json, fit: int | None = None) -> Iterator[str]:
    """All of a lab; times in its zone, and in UTC where there is room for all (`fit` None)."""
    zone = zone_of(view["schedule"]["timeZone"])
    yield t(
        "{id}  {name}  Kubernetes {version} in {region}",
        id=view["id"],
        name=view["name"],
        version=view["version"],
        region=view["region"],
    )
    since = t(
        "{phase} since {at} ({zone})",
        phase=state(view["phase"]),
        at=at_local(view["phaseSince"], zone),
        zone=view["schedule"]["timeZone"],
    )
    yield since if fit is not None else f"{since}, {view['phaseSince']}"
    if view["reason"]:
        yield from sentence(f"{view['reason']} ({whose(view['responsible'])})", fit)
    if view["endpoint"]:
        yield t("endpoint {endpoint}", endpoint=view["endpoint"])
    yield from money(view.get("usd"), fit)
    steps = [
        (s["title"], s["status"], at_clock(s["startedAt"], zone), at_clock(s["endedAt"], zone), s["detail"])
        for s in view["steps"]
    ]
    if steps:
        yield ""
        yield from table(("STEP", "STATUS", "STARTED", "ENDED", "DETAIL"), steps, fit, keep=_TIMES, wrap=True)
    if view["next"]:
        yield ""
        for line in view["next"]:
            yield from sentence(t("next: {line}", line=line), fit, indent=6)


def money(usd: Json | None, fit: int | None = None) -> Iterator[str]:
    """A lab's present, past and coming cost, and its savings; empty for a lab that was never priced."""
    if usd is None:
        return
    known, saved = not usd["atLeast"], usd["saved"]["total"]
    hour, so_far = (f"${usd[name]:,.2f}" for name in ("hour", "soFar"))
    line = t("cost {hour} an hour; {so_far} so far", hour=hour, so_far=so_far)
    if not known:
        line = t("cost at least {hour} an hour; at least {so_far} so far", hour=hour, so_far=so_far)
    line += t(", {amount} more to the lease's end", amount=f"${usd['toLeaseEnd']:,.2f}")
    yield from sentence(line + (t("; {amount} saved", amount=f"${saved:,.2f}") if saved else ""), fit)
    for each in usd.get("found", ()):
        price = t("price not known") if each["hour"] is None else t("{amount} an hour", amount=f"${each['hour']:.4f}")
        yield from sentence(
            t(
                "found since {since}, not counted above: {arn}, {price}",
                since=each["since"],
                arn=each["arn"],
                price=price,
            ),
            fit,
            indent=6,
        )


def events(view: Json, fit: int | None = None) -> Iterator[str]:
    """One line an event; times in the lab's zone, and in UTC where there is room for all (`fit` None)."""
    zone = zone_of(view["timeZone"])
    head, rows = ["AT", "KIND", "MESSAGE"], []
    for event in view["events"]:
        utc = [event["at"]] if fit is None else []
        rows.append([at_second(event["at"], zone), *utc, event["kind"], event["message"]])
    if fit is None:
        head.insert(1, "AT (UTC)")
    yield from table(head, rows, fit, keep=("AT",), wrap=True)


def receipt(view: Json, fit: int | None = None) -> Iterator[str]:
    """The verdict, then every line of the newest check; commands are not cut, because people copy them."""
    yield from sentence(
        view["verdict"] if fit is None else _ARN.sub(lambda found: _short(found[0]), view["verdict"]), fit
    )
    yield from money(view.get("usd"), fit)
    newest = view["looks"][-1]
    yield ""
    lines = folded(newest["lines"])
    if fit is None:
        keys = ("outcome", "kind", "arn", "creator", "usdMonth", "causedBy", "reason")
        rows = [[line[key] for key in keys] for line, _ in lines]
        yield from table(("OUTCOME", "KIND", "ARN", "CREATOR", "USD A MONTH", "HELD BY", "REASON"), rows)
    else:
        rows = [
            [line["outcome"], line["kind"], "- " * depth + _short(line["arn"]), line["reason"]] for line, depth in lines
        ]
        yield from table(("OUTCOME", "KIND", "NAME", "REASON"), rows, fit, keep=("OUTCOME",), wrap=True)
    for source in newest["unreadable"]:
        yield from sentence(t("could not be read: {source}", source=source), fit, indent=2)
    yield from (t("to delete it: {command}", command=line["command"]) for line in newest["lines"] if line["command"])


def folded(lines: Sequence[Json]) -> list[tuple[Json, int]]:
    """The lines with their depths: each held line under its holder, all others in their order."""
    arns = {line["arn"] for line in lines}
    under: dict[str, list[Json]] = {}
    for line in lines:
        under.setdefault(line["causedBy"] if line["causedBy"] in arns else "", []).append(line)

    def below(holder: str, depth: int) -> Iterator[tuple[Json, int]]:
        for line in under.pop(holder, []):
            yield line, depth
            yield from below(line["arn"], depth + 1)

    told = list(below("", 0))
    while under:  # only where two lines hold each other
        told += below(next(iter(under)), 0)
    return told


def _short(arn: str) -> str:
    """The part of an ARN after the account: `instance/i-0abc`."""
    return arn.split(":", 5)[-1] if arn.startswith("arn:") else arn


def inventory(view: Json, fit: int | None = None) -> Iterator[str]:
    """The lab's parts; for an ended lab, a line that there are none."""
    if view.get("message"):
        yield from sentence(view["message"], fit)
        return
    for line in _inventory(view):
        yield from sentence(line, fit, indent=_PART)


def _inventory(view: Json) -> Iterator[str]:
    yield from _control_plane(view)
    for policy in view["nodeRole"]["policies"]:
        yield t("node role      {name}: {why}", name=policy["name"], why=policy["why"])
    for group in view["securityGroups"]:
        yield from _group(group)
    for net in view["subnets"]:
        yield t(
            "subnet         {id} {zone} {cidr} {side}",
            id=net["id"],
            zone=net["zone"],
            cidr=net["cidr"],
            side=t("public") if net["public"] else t("private"),
        )
    yield from _inside(view)
    yield from (t("could not read {part}: {why}", part=part, why=why) for part, why in view["unreadable"].items())


def _control_plane(view: Json) -> Iterator[str]:
    plane, seen = view["controlPlane"], view["endpoint"]["seen"]
    if plane:
        yield t(
            "control plane  {status}, Kubernetes {version}, zones {names}",
            status=plane["status"],
            version=plane["version"],
            names=", ".join(plane["zones"]),
        )
        yield t("network        {vpc}", vpc=plane["vpcId"])
    yield t("endpoint       {access}: {means}", access=view["endpoint"]["access"], means=view["endpoint"]["means"])
    if seen:
        yield t(
            "               {host} is {names}",
            host=seen["host"],
            names=", ".join(seen["addresses"]) or t("not resolved"),
        )


def _group(group: Json) -> Iterator[str]:
    yield t("group          {id} ({role}): {why}", id=group["id"], role=group["role"], why=group["why"])
    for rule in group["ingress"]:
        yield t(
            "               in {protocol} {ports} from {source}  {description}",
            protocol=rule["protocol"],
            ports=rule["ports"],
            source=rule["source"],
            description=rule["description"],
        ).rstrip()


def _inside(view: Json) -> Iterator[str]:
    for group in view["nodegroups"]:
        yield t(
            "node group     {name}: {status}, {desired} of {names}",
            name=group["name"],
            status=group["status"],
            desired=group["desired"],
            names=", ".join(group["instanceTypes"]),
        )
    for addon in view["addons"]:
        yield t(
            "add-on         {name} {version}: {status}",
            name=addon["name"],
            version=addon["version"],
            status=addon["status"],
        )
    for entry in view["accessEntries"]:
        note = t("  (this service, to see what runs)") if entry["ofService"] else ""
        yield t("access         {arn}{note}", arn=entry["principalArn"], note=note)
    if view["workHost"]:
        yield t(
            "work host      {instance}: {status}",
            instance=view["workHost"]["instanceId"],
            status=view["workHost"]["status"],
        )


def calendar(view: Json) -> Iterator[str]:
    """The versions and their dates."""
    keys = ("version", "status", "endOfStandard", "endOfExtended")
    rows = [[str(entry[key])[:16] for key in keys] for entry in view["versions"]]
    yield from table(("VERSION", "STATUS", "STANDARD ENDS", "EXTENDED ENDS"), rows)
    yield t(
        "default {default}; from {source}, as of {day}",
        default=view["default"],
        source=view["source"],
        day=view["asOf"],
    )
