"""The commands about people: the caller, the roster, and everybody (administrators)."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ekslab.client import Answer, Client
from ekslab.commands.answers import answered, fit, refused
from ekslab.commands.exit_codes import Exit
from ekslab.parsing.arguments import UsageError
from ekslab.printing import terminal
from ekslab.printing.tables import table
from ekslab.words import t

_JSON = {"Content-Type": "application/json"}
#: The topic that can't be switched off; `--hears warnings` means only this one.
_ALWAYS = "warnings"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def me(client: Client, options: argparse.Namespace) -> int:
    """Show your mail settings, or change them; omitted ones stay unchanged."""
    named = ("address", "language", "timeZone", "hears")
    changes: dict[str, Any] = {name: said for name in named if (said := getattr(options, name)) is not None}
    if "hears" in changes:
        changes["hears"] = [topic for topic in changes["hears"] if topic != _ALWAYS]
    if options.no_address and "address" in changes:
        raise UsageError("--address and --no-address: say one of them")
    if options.no_address:
        changes["address"] = None
    answer = client.call("PUT", "/me", json.dumps(changes).encode(), _JSON) if changes else client.call("GET", "/me")
    return answered(options, answer, lines)


def calendar(client: Client, options: argparse.Namespace) -> int:
    """Make the address of your calendar, or revoke it."""
    if options.revoke:
        return answered(
            options,
            client.call("DELETE", "/me/calendar"),
            lambda _: iter([t("Your calendar's address is good no more.")]),
        )
    return answered(options, client.call("POST", "/me/calendar"), _calendar_lines)


def people(client: Client, options: argparse.Namespace) -> int:
    """Everybody, or as CSV."""
    if options.csv:
        answer = client.call("GET", "/people", headers={"Accept": "text/csv"})
        if not answer.ok:
            return refused(answer, options)
        terminal.text_out(str(answer.body))
        return Exit.OK
    found: list[Any] = []
    for answer in client.pages("/people", {"limit": "100"}):
        if not answer.ok:
            return refused(answer, options)
        found += answer.body["people"]
    return answered(options, Answer(200, {}, {"people": found}), lambda _: _people_table(found, fit(options)))


def apply_people(client: Client, options: argparse.Namespace) -> int:
    """Store a roster: all of its rows, or none."""
    raw = sys.stdin.buffer.read() if options.filename == "-" else Path(options.filename).read_bytes()
    is_json = Path(options.filename).suffix == ".json"
    body, headers = (raw, _JSON) if is_json else (_utf8(raw), {"Content-Type": "text/csv; charset=utf-8"})
    return answered(options, client.call("POST", "/people", body, headers), _kept_lines)


def delete_person(client: Client, options: argparse.Namespace) -> int:
    """Delete a person; repeat the call until no record is left."""
    answer = client.call("DELETE", f"/people/{quote(options.person, safe='')}")
    return answered(options, answer, _gone_lines)


def ask_for_address(client: Client) -> None:
    """On a terminal, ask people without a mail address for one. Enter skips it."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty()):
        return
    known = client.call("GET", "/me")
    if not known.ok or known.body.get("address") or known.body.get("pending"):
        return
    sys.stderr.write(t("Where shall warnings about your labs go? Mail address (Enter: nowhere): "))
    sys.stderr.flush()
    typed = sys.stdin.readline().strip()
    if typed:
        set_address(client, typed)


def set_address(client: Client, address: str) -> None:
    """Set the address, and print the result; a refusal does not stop the request for a lab."""
    answer = client.call("PUT", "/me", json.dumps({"address": address}).encode(), _JSON)
    if answer.ok:
        for line in lines(answer.body):
            terminal.err(line)
        return
    found = answer.body.get("findings", ()) if isinstance(answer.body, dict) else ()
    why = "; ".join(one["message"] for one in found) or (
        answer.body.get("detail", "") if isinstance(answer.body, dict) else ""
    )
    terminal.err(t("  warning  address: {why} `ekslab me --address` sets it later.", why=why))


def lines(body: Mapping[str, Any]) -> Iterator[str]:
    """The person's mail address, and a pending one."""
    yield t("address   {address}", address=body["address"] or t("none: no mail about your labs reaches you"))
    if pending := body["pending"]:
        yield t(
            "pending   {address}: press the button behind the link in your mail, until {until}",
            address=pending["address"],
            until=pending["expiresAt"],
        )
    if trouble := body.get("trouble"):
        yield t("trouble   {trouble}", trouble=trouble)
    yield t("language  {language}", language=body["language"])
    yield t("zone      {zone}", zone=body["timeZone"])
    yield t("hears     {names}", names=", ".join([_ALWAYS, *body["hears"]]))
    yield t("calendar  {told}", told=t("yes") if body["calendar"] else t("none: `ekslab create calendar`"))
    for identity in body["identities"]:
        yield t("known as  {identity}", identity=identity)


def _calendar_lines(body: Mapping[str, Any]) -> Iterator[str]:
    yield body["url"]
    yield t("Subscribe to it in your calendar. Whoever has this address reads it.")
    yield t("`ekslab create calendar` makes another one, and ends this one.")


def _people_table(found: list[Any], width: int | None) -> Iterator[str]:
    rows = [
        (
            one["address"] or "",
            t("yes") if one["address"] else t("asked: {address}", address=one["asked"]) if one["asked"] else t("no"),
            one["language"],
            one["timeZone"] or "",
            " ".join(identity.rpartition("/")[2] for identity in one["identities"]),
        )
        for one in found
    ]
    return table(("ADDRESS", "CONFIRMED", "LANGUAGE", "ZONE", "KNOWN AS"), rows, width, keep=("ADDRESS", "CONFIRMED"))


def _kept_lines(body: Mapping[str, Any]) -> Iterator[str]:
    yield t(
        "{added} added, {changed} changed, {same} as they were.",
        added=body["added"],
        changed=body["changed"],
        same=body["same"],
    )
    if body["invited"]:
        yield t("{invited} get a mail that asks for a confirmation, within the next minutes.", invited=body["invited"])


def _gone_lines(body: Mapping[str, Any]) -> Iterator[str]:
    yield t(
        "{people} forgotten, and named in {labs} records of labs no more.", people=body["people"], labs=body["labs"]
    )
    if body["alive"]:
        yield t("Their labs go on: {names}. Ask again when those are over.", names=", ".join(body["alive"]))
    if body["left"]:
        yield t("{left} records are left: ask again.", left=body["left"])


def _utf8(raw: bytes) -> bytes:
    """A roster as UTF-8, from a spreadsheet's file. Raises UsageError."""
    for encoding in ("utf-16",) if raw.startswith(_UTF_16) else ("utf-8-sig", "cp949"):
        try:
            return raw.decode(encoding).encode()
        except UnicodeDecodeError:
            continue
    raise UsageError(t("the roster is neither UTF-8, UTF-16 nor CP949"))
