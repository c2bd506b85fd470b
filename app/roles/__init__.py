"""The roles: each module here is one process, started by the supervisor as `python -m`."""
