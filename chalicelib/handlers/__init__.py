"""The entry points of Lambda: one module per state machine, one for the API, one for the schedules; a line per function."""

import gc
from importlib import import_module

# Python's collector would scan all objects repeatedly during imports, and find nothing to free: every handler's
# imports (botocore, Powertools, the wiring) are made without it, and never scanned again.
gc.disable()
try:
    import_module("chalicelib.wiring.deps")
    import_module("chalicelib.logs")
finally:
    gc.freeze()
    gc.enable()
