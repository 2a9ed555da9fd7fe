"""The handler that Lambda processes call instead of the function's own; the only file of this package that they see.

It calls the real handler (`_HANDLER` names it, as in AWS's own runtime) and, when that raises, answers with what
AWS's Python runtime reports: the exception's class name, its message and its stack. `emulator/lambdas/errors.py`
turns that answer into a failed invocation. The process stays warm, as it does on AWS. The last of an invocation's lines says that
there are no more, so that nobody waits for them.
"""

import importlib
import os
import sys
import traceback
from typing import Any

RAISED = "emulator:raised"
ENDED = "emulator:ended "

sys.path.insert(0, os.environ["EMULATOR_CODE"])
os.chdir(os.environ["EMULATOR_CODE"])
_module, _, _name = os.environ["_HANDLER"].rpartition(".")
_handler = getattr(importlib.import_module(_module.replace("/", ".")), _name)


def handle(event: Any, context: Any) -> Any:
    """Return the handler's result, or `{RAISED: {errorMessage, errorType, requestId, stackTrace}}` if it raised."""
    try:
        return _handler(event, context)
    except Exception as error:  # noqa: BLE001 - this is the runtime's edge: any error of a function is its result
        traceback.print_exc()
        return {
            RAISED: {
                "errorMessage": str(error),
                "errorType": type(error).__name__,
                "requestId": context.aws_request_id,
                "stackTrace": traceback.format_tb(error.__traceback__)[1:],
            }
        }
    finally:
        print(f"{ENDED}{context.aws_request_id}", file=sys.stderr, flush=True)
