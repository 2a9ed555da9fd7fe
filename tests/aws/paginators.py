"""Botocore's own paginators around fake clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.paginate import Paginator


def paginator_of(service: str, operation: str, method: Callable[..., Any]) -> Paginator:
    """A paginator of `operation` (its boto3 name) that calls `method`."""
    session = botocore.session.get_session()
    model = session.get_service_model(service)
    (name,) = (name for name in model.operation_names if xform_name(name) == operation)
    config = session.get_paginator_model(service).get_paginator(name)
    return Paginator(method, config, model.operation_model(name))
