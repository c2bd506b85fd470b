"""The demo organisation: people, a stand-in for their mail server, and mail that looks like theirs.

Only `livearchive demo` uses this package; a real installation never imports it.
"""
