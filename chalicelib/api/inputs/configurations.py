"""Add-ons' configurations as JSON text: EKS takes JSON and YAML, eksctl's files hold either; inside there is one of them."""

from __future__ import annotations

import json
from dataclasses import replace

from chalicelib.domain.errors.tree import InvalidRequest
from chalicelib.domain.labs.spec import AddonSpec
from chalicelib.domain.requests.draft import Draft


def in_json(draft: Draft) -> Draft:
    """The draft with configurations that are YAML mappings written as JSON. What is neither stays, and is judged so."""
    if not any(addon.configuration for addon in draft.addons):
        return draft
    return replace(draft, addons=tuple(map(_in_json, draft.addons)))


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _in_json(addon: AddonSpec) -> AddonSpec:
    text = addon.configuration
    if not text or _is_json(text):
        return addon
    from chalicelib.api.inputs.yaml_body import read_yaml

    try:
        read = read_yaml(text)
    except InvalidRequest:
        return addon
    return replace(addon, configuration=json.dumps(read, sort_keys=True)) if isinstance(read, dict) else addon
