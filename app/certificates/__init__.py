"""A certificate by ACME (RFC 8555), for a machine without a reverse proxy in front.

`config` is what the operator says, `kept` what lies on the disk, `stand_in` what is served until
the first certificate comes, `schedule` decides when to ask, `port80` answers http-01 challenges
(section 8.3), `authority` speaks with the directory, `renewal` puts these together. The
role `certificate` alone writes here; the listeners read one file, and take a new one while they
serve (`smtp_ingest.tls`).
"""
