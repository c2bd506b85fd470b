"""Hostile MIME ends here: RFC 5322 octets in, frozen values out.

Everything in this package is plain standard library, does no I/O (apart from `worker`, which
runs the rest in child processes that can be killed) and never raises for any octets. What is
broken or beyond the limits is named in `ParsedMessage.problems`; what could be had is there.

The structure is read by our own splitter (`structure`), not by `email.parser`: that one recurses
with the nesting of the message, and works per line. Ours is bounded in depth, parts and headers,
and finds a part as a range of the original octets without copying it. The tests hold it against
`email.parser` on well-formed messages.
"""
