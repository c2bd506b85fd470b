"""Administration for the pages: domains, people, the trail, the mail log, the mailbag.

    gate       who may; what was refused is an event
    lines      what the pages show of a domain, a person, an event
    figures    the overview's numbers (SQL)
    maillog    searching the sealed mail log
    service    `Administration`, the use cases of the pages

Everything here is metadata. No method opens a mailbox's mail, whatever the role.
"""
