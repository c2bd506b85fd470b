"""The sealed seven-day store: knows mail and disks, no sockets and no people."""
