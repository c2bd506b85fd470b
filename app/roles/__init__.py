"""The roles: each module here is one process, started by the supervisor as `python -m`."""

import gc
import sys

# What a role imports stays to its end. Without a collector that goes through it again and again
# meanwhile, a role starts in three quarters of the time; `run_role` turns it on.
if sys.argv[0] == "-m":  # Python's word while it looks for the module to run
    gc.disable()
