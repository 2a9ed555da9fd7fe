"""What every line that a step writes into the log carries: whose doing it is, of which execution, about which lab.

Called by `running.py` around each step. What began the execution is in its input, since whoever starts one puts it there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from chalicelib.domain.errors.tree import EkslabError, Superseded
from chalicelib.logs import logger


@contextmanager
def step_lines(workflow: str, step: str, event: Mapping[str, Any], **more: object) -> Iterator[None]:
    """Let each line inside say which step of which execution it is of, and tell how the step failed if it does."""
    began = (event.get("started_with") or {}).get("request_id") or None
    keys = {"correlation_id": began, "workflow": workflow, "step": step, "execution": event.get("execution"), **more}
    with logger.append_context_keys(**keys):
        try:
            yield
        except Superseded as error:
            logger.info("A step was superseded.", extra={"reason": str(error)})
            raise
        except EkslabError as error:
            logger.warning("A step failed.", extra={"error": type(error).__name__, "reason": str(error)})
            raise
        except Exception as error:
            logger.exception("A step failed unexpectedly.", extra={"error": type(error).__name__})
            raise
