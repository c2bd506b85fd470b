"""The audit trail: who did what, in a form that proves itself.

Each domain has a trail of its own, and the installation has one more for what
belongs to no domain. An event (`events`) becomes an entry once, as canonical octets
(`canonical`); the octets are stored and hashed as they are, each entry naming the
hash of the one before (`trail`). An export (`export`) is one signed file which
`verify` proves without a server. docs/audit.md describes the format.

Nothing here knows what anybody may see: `accounts.permissions` does.
"""

from app.audit.trail import INSTALLATION as INSTALLATION
from app.audit.trail import record as record
from app.viewer import Actor as Actor
from app.viewer import Via as Via
