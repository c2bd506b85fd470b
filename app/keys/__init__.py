"""The keys role (the key agent): a small process of its own, and how others ask it.

It alone reads the keyring. Each other role has a Unix socket of its own, and the
socket decides what may be asked through it: the index role gets content keys of
mail that is not indexed yet, the deliver role those of queue items, the web role
those of entries that a live session may open (after the audit event is written),
the operator's commands those that they name with a reason. Nobody gets a day's key.
"""
