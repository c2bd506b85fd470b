"""`livearchive fsck`: every row against its octets, every octet against a row, and each opened.

`check.Fsck` finds; `findings` says what; `repair` mends what can be mended from the
segments; `rebuild` brings an index back from the segments alone. Nothing of any mail is
shown: findings are counts, and ids of what is wrong.
"""
