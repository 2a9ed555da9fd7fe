"""What Lambda opens: one module per state machine, one for the API, one for the schedules; a line per function."""

import gc
from importlib import import_module

# Python's collector goes through all objects again and again while modules are imported, and finds nothing to free: what every
# handler needs (botocore, Powertools, the wiring) is imported without it, and never looked at again.
gc.disable()
try:
    import_module("chalicelib.wiring.deps")
    import_module("chalicelib.logs")
finally:
    gc.freeze()
    gc.enable()
