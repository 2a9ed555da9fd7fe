"""Creates the labs table on an emulator exactly as in production's template."""

from __future__ import annotations

import json
from typing import Any

from tests.paths import PROJECT

TEMPLATE = PROJECT / ".chalice" / "template.json"
TABLE = "labs"


def create_table(client: Any, name: str = TABLE) -> str:
    """Create the table with the template's own keys and indexes; return its name."""
    properties = json.loads(TEMPLATE.read_text())["Resources"]["LabsTable"]["Properties"]
    shape = {
        key: properties[key] for key in ("KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "BillingMode")
    }
    client.create_table(TableName=name, **shape)
    return name
