"""The way back: what people send here reaches their own mailbox on the primary, too.

access  how a domain's mailboxes are reached by IMAP, and whether its people get Sent copies
imap    one session with one mailbox (RFC 9051, RFC 6154), and what can go wrong there
logins  who may log in now: a server that refuses or is away is left alone for a while
mark    the signature on a copy that goes by SMTP, so that it makes no second entry here
copies  a sent mail into its sender's Sent folder, once

A copy waits in the queue like any mail. Before it is appended its Message-ID is looked for in
the folder, so it is there once, whatever was killed in between. Nothing that lies on the primary
is ever changed.
"""
