"""Crash safety, proved on real processes: `./dev bench reliability kill|power|faults`.

`kill` sends SIGKILL to every role at random moments under load. A page cache survives
that, so `power` watches the system calls, shows that nothing of a mail is unsynced at
its 250, and starts the store on what a power cut would have left. `faults` lets the n-th
file operation of a process fail, for every n. What each run promises of a mail is in
`ledger`; docs/reliability.md has the figures.
"""
