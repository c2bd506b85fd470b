"""People: domains, users, identities, passwords, log-ins, sessions, and where mail goes.

Use cases take the open transaction, never commit, and record their audit event inside
it. Who asks is a `Viewer` (checked against `permissions`) or an `Actor` of the command
line, who has a shell on the server and is asked no more. `login` alone opens
transactions itself, because hashing a password must not hold one.

After `users.add` and `domains.add` the caller asks the keys role to make the day keys
of the new mailbox and domain: keys are not this package's business.
"""
