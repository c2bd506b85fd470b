"""The tests of the SMTP side: the machine without sockets, and real clients against real ones."""
