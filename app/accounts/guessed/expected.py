"""What people choose first, in our own words, and the ways of fingers over keyboards."""

EXPECTED_WORDS = frozenset(
    """
    password passwort passwd passphrase motdepasse contrasena parola lozinka salasana wachtwoord
    qwerty qwertz azerty asdfgh zxcvbn welcome willkommen bienvenue letmein iloveyou loveyou
    sunshine princess princesa football baseball basketball superman batman pokemon starwars
    monkey dragon shadow master killer jordan michael jennifer charlie thomas daniel hannah
    hello hallo secret geheim trustno whatever freedom flower cheese computer internet samsung
    google facebook microsoft windows office outlook exchange email mail mailbox webmail inbox
    livearchive archive continuity admin administrator administration root system server login
    logon user guest test testing demo default changeme change temp temporary access account
    company business service support helpdesk manager summer winter spring autumn
    sommer fruehling herbst january february march april june july august september october
    november december monday tuesday wednesday thursday friday saturday sunday
    correcthorsebatterystaple thisisapassword mypassword newpassword oldpassword
    """.split()
)
"""The product, its trade and the calendar among them: NIST's "context-specific words"."""

_ROWS = ("0123456789", "1234567890", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl",
         "zxcvbnm", "yxcvbnm", "abcdefghijklmnopqrstuvwxyz", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik",
         "qazwsxedcrfvtgbyhnujmik", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0",
         "1qazxsw23edcvfr45tgbnhy67ujm", "!@#$%^&*()")  # fmt: skip

SEQUENCES = tuple(row * 2 for row in _ROWS) + tuple(row[::-1] * 2 for row in _ROWS)
"""Rows of keys and counting, forwards and backwards, twice over for those who go round."""
