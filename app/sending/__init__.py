"""Writing, answering and forwarding: from what a person typed to mail that is on its way.

addressees  recipients as they are typed
quoting     subjects and quoted text of answers (pure)
headers, flowing, compose   RFC 5322 octets
drafts      what the page starts with
dispatch    who gets it: copies here, the mailbag, the outside (pure)
service     `Sending`, the use cases of the pages
"""
