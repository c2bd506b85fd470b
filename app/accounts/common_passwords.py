"""What people choose first, in our own words: the start of passwords that are guessed first.

A short list is enough, since a password has fifteen characters at least: what counts is
the word that it is mostly made of, with digits and signs added (`passwords.require_good`).
"""

COMMON_WORDS = frozenset(
    """
    password passwort passwd passphrase motdepasse contrasena parola lozinka salasana wachtwoord
    qwerty qwertz azerty asdfgh zxcvbn welcome willkommen bienvenue letmein iloveyou loveyou
    sunshine princess princesa football baseball basketball superman batman pokemon starwars
    monkey dragon shadow master killer jordan michael jennifer charlie thomas daniel hannah
    hello hallo secret geheim trustno whatever freedom flower cheese computer internet samsung
    google facebook microsoft windows office outlook exchange email mail mailbox webmail inbox
    livearchive archive continuity admin administrator administration root system server login
    logon user guest test testing demo default changeme change temp temporary access account
    company business service support helpdesk manager office summer winter spring autumn
    sommer fruehling herbst january february march april june july august september october
    november december monday tuesday wednesday thursday friday saturday sunday
    correcthorsebatterystaple thisisapassword mypassword newpassword oldpassword
    """.split()
)

_ROWS = ("0123456789", "1234567890", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl",
         "zxcvbnm", "yxcvbnm", "abcdefghijklmnopqrstuvwxyz", "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
         "!@#$%^&*()")  # fmt: skip

SEQUENCES = tuple(row * 2 for row in _ROWS) + tuple(row[::-1] * 2 for row in _ROWS)
"""Rows of keys and counting, forwards and backwards, twice over for those who go round."""
