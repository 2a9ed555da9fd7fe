"""The one logger. Constant messages with fields, one line per decision and per act; the domain never logs."""

from __future__ import annotations

from aws_lambda_powertools import Logger

logger = Logger(service="ekslab")
