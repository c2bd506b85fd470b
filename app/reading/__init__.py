"""A person's own mail: lists, search, opening, filing.

    finding    which entries there are to be seen (SQL)
    shelf      opened summaries of live sessions, in memory
    rows       what a list shows of an entry (pure)
    counting   the side bar
    searching  a scan of summaries and words
    opening    one message's octets, by its key
    files      which attachments are listed beside a body that shows some (pure)
    handing    where a message stands on its way to a mail server
    filing     moving, deleting, restoring, marking
    desk       what the use cases stand on: parts, and what is opened for live sessions
    lists      folders, the side bar, what a search finds
    posing     what a sender's name and address pose as
    verdicts   what the server before us found of a sender
    strangers  whose first mail it is, in memory
    messages   one message, its text and its files
    joining    which messages are one conversation, in memory
    conversations  lists of them, one as a page, deeds done to all of one
    service    `Reading`, all the use cases of the pages

Entries are looked up by the viewer's mailbox and their id alone, and only while they
are within their days: another's id, an old one and one that never was are all NotFound.
"""
