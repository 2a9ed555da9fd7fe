"""Filters and pages of the Describe actions, applied to what the emulator answers.

ministack ignores unknown filters, so a teardown would take everybody's resources for the lab's.
Here a filter is looked up in the answer itself by its path of XML elements, and an unknown one is an error, as on AWS.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any
from xml.etree import ElementTree

from emulator.ec2.actions import ACTIONS, Action, Params, Refused, members, param
from emulator.ec2.filter_names import FILTERS

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
ElementTree.register_namespace("", NAMESPACE)


def install() -> None:
    """Put our filters and pages around the Describe actions above."""
    for action, (items, table) in FILTERS.items():
        ACTIONS[action] = _filtering(items, table, ACTIONS[action])


def _filtering(items: str, table: Mapping[str, str], describe: Action) -> Action:
    def describe_filtered(params: Params) -> Any:
        wanted = _filters(params)
        if unknown := [name for name in wanted if name not in table and not _is_tag_filter(name)]:
            raise Refused("InvalidParameterValue", f"The filter '{unknown[0]}' is invalid")
        status, headers, body = describe(_without_filters_and_pages(params))
        if status != 200:
            return status, headers, body
        root = ElementTree.fromstring(body)
        _keep(root, items, [e for e in _find(root, items) if all(_matches(e, table, *w) for w in wanted.items())])
        _keep_page(root, items, params)
        return status, headers, ElementTree.tostring(root)

    return describe_filtered


def _matches(item: ElementTree.Element, table: Mapping[str, str], name: str, patterns: list[str]) -> bool:
    if name in table:
        values = [element.text or "" for element in _find(item, table[name])]
    else:
        found = [(_text(tag, "key"), _text(tag, "value")) for tag in _find(item, "tagSet/item")]
        keys = {key for key, _ in found}
        values = list(keys) if name == "tag-key" else [v for k, v in found if name in (f"tag:{k}", "tag-value")]
    return any(fnmatchcase(value, _literal_brackets(pattern)) for value in values for pattern in patterns)


def _keep(root: ElementTree.Element, items: str, kept: list[ElementTree.Element]) -> None:
    parent_path, _, _ = items.rpartition("/")
    for parent in _find(root, parent_path):
        for item in list(parent):
            if item not in kept:
                parent.remove(item)
    for reservation in _find(root, "reservationSet/item"):
        if not _find(reservation, "instancesSet/item"):
            _find(root, "reservationSet")[0].remove(reservation)


def _keep_page(root: ElementTree.Element, items: str, params: Params) -> None:
    found = _find(root, items)
    start, size = int(param(params, "NextToken") or 0), int(param(params, "MaxResults") or len(found) or 1)
    _keep(root, items, found[start : start + size])
    if start + size < len(found):
        ElementTree.SubElement(root, f"{{{NAMESPACE}}}nextToken").text = str(start + size)


def _filters(params: Params) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    number = 1
    while name := param(params, f"Filter.{number}.Name"):
        found[name] = members(params, f"Filter.{number}.Value")
        number += 1
    return found


def _without_filters_and_pages(params: Params) -> Params:
    left_out = ("Filter.", "MaxResults", "NextToken")
    return {name: value for name, value in params.items() if not name.startswith(left_out)}


def _is_tag_filter(name: str) -> bool:
    return name.startswith("tag:") or name in ("tag-key", "tag-value")


def _find(element: ElementTree.Element, path: str) -> list[ElementTree.Element]:
    return element.findall("/".join(f"{{{NAMESPACE}}}{part}" for part in path.split("/")))


def _text(element: ElementTree.Element, name: str) -> str:
    return element.findtext(f"{{{NAMESPACE}}}{name}") or ""


def _literal_brackets(pattern: str) -> str:
    return pattern.replace("[", "[[]")
