"""The mailbag's other half: hands on what was accepted, and says what became of it.

    queue      what waits: the Outbox of the archive, claims by lease (`owner`), results
    desk       what people do with it: list, flush, hold, release, drop
    schedule   when to try again, when to give up (pure)
    routes, mx where a recipient's mail goes
    courier    one SMTP transaction, over `connections`
    sealed     what of an item is sealed; `state` what its reader is told
    dsn        the report of a failure (RFC 3464); `returns` decides who gets it
    health     how a primary is (pure), `watch` keeps it up to date, `primaries` writes it down
    outages    what people are told of it, and an administrator's word; `webhooks` tell programs
    attempt    one message to one destination, from claim to result
    ledger     writes results and mail log lines
    worker     the loop of the deliver role

An item is delivered at least once and never lost; `queue` says when it can be twice.
"""
