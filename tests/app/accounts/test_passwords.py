"""Passwords: what is taken, how it is kept, and that checking is a queue."""

import random
import threading
from datetime import timedelta
from typing import Literal

import pytest
from argon2 import PasswordHasher, extract_parameters

from app.accounts.errors import Invalid
from app.accounts.guessed import common, guess
from app.accounts.passwords import (
    LONGEST,
    SHORTEST,
    Passwords,
    PasswordsBusy,
    generate,
    require_good,
)
from app.secret import Secret


def good(text: str) -> None:
    require_good(Secret(text), address="vlad.ivanov@acme.example", name="Vlad Ivanov")


def test_the_costs_are_those_of_the_security_model() -> None:
    made = extract_parameters(Passwords().hash(Secret("anything at all")))
    assert (made.memory_cost, made.time_cost, made.parallelism) == (64 * 1024, 3, 4)
    assert made.type.name == "ID"


def test_a_password_is_checked(passwords: Passwords) -> None:
    kept = passwords.hash(Secret("plum cedar gravel"))
    assert passwords.check(kept, Secret("plum cedar gravel"))
    assert not passwords.check(kept, Secret("plum cedar gravel "))
    assert not passwords.check(kept, Secret(""))
    assert "plum" not in kept


def test_two_ways_to_type_the_same_letters_are_one_password(passwords: Passwords) -> None:
    kept = passwords.hash(Secret("caf\u00e9 au lait 12"))
    assert passwords.check(kept, Secret("cafe\u0301 au lait 12"))


@pytest.mark.parametrize("kept", ["", "nonsense", "$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA"])
def test_a_damaged_hash_lets_nobody_in(passwords: Passwords, kept: str) -> None:
    assert not passwords.check(kept, Secret("anything"))


def test_odd_characters_neither_raise_nor_match(passwords: Passwords) -> None:
    kept = passwords.hash(Secret("a\ud800b\0c long enough"))
    assert passwords.check(kept, Secret("a\ud800b\0c long enough"))
    assert not passwords.check(kept, Secret("a\ud800b"))


class Watching(PasswordHasher):
    """Remembers what it was asked to verify against."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.seen: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        self.seen.append(str(hash))
        return super().verify(hash, password)


def test_an_unknown_account_costs_as_much_as_a_known_one() -> None:
    watching = Watching()
    passwords = Passwords(watching)
    kept = passwords.hash(Secret("plum cedar gravel"))
    assert not passwords.check(kept, Secret("wrong"))
    assert not passwords.check(None, Secret("wrong"))
    known, unknown = (extract_parameters(hash) for hash in watching.seen)
    assert known == unknown


def test_older_costs_are_noticed(passwords: Passwords) -> None:
    kept = passwords.hash(Secret("plum cedar gravel"))
    assert not passwords.is_outdated(kept)
    assert Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)).is_outdated(kept)


class Slow(PasswordHasher):
    """Stays inside until told to go on."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.inside = threading.Event()
        self.go_on = threading.Event()

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        self.inside.set()
        self.go_on.wait(30)
        return super().verify(hash, password)


def test_who_waits_too_long_is_told_so_and_the_place_is_given_back() -> None:
    slow = Slow()
    passwords = Passwords(slow, at_once=1, patience=timedelta(milliseconds=1))
    first = threading.Thread(target=passwords.check, args=(None, Secret("x")))
    first.start()
    slow.inside.wait(30)
    with pytest.raises(PasswordsBusy):
        passwords.check(None, Secret("x"))
    slow.go_on.set()
    first.join()
    assert not passwords.check(None, Secret("x"))


@pytest.mark.parametrize(
    "text",
    [
        "plum cedar gravel",
        "correct-horse-8-staple",
        "Zwölf Boxkämpfer jagen",
        "пароль из четырёх слов",
        "密码密碼鍵盤雨傘犬猫魚鳥山川海",
        "x9$Kq!72mnPz-wB",
        "summer rain on tin roofs",
        "L" * 5 + "o" * 5 + "ng text " * 20,
        "my company has blue doors",
    ],
)
def test_an_uncommon_password_is_taken(text: str) -> None:
    good(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short",
        "fourteen-chars",
        "x" * (LONGEST + 1),
        "aaaaaaaaaaaaaaaa",
        "abababababababab",
        "abcabcabcabcabc",
        "123456789012345",
        "1234567890123456",
        "987654321098765",
        "abcdefghijklmnop",
        "qwertyuiop12345",
        "1qaz2wsx3edc4rfv",
        "qwertzuiop123456",
        "password1234567",
        "Password1234567!",
        "P@ssw0rd-202620",
        "passwordpassword",
        "LiveArchive2026",
        "welcome-2026-11",
        "Summer-2026-!!!",
        "administrator123",
        "vlad.ivanov1234",
        "VladIvanov-2026",
        "ivanov-ivanov-iv",
        "vlad.ivanov@acme.example",
        "acme-acme-20261",
        "Manchester2026!",
        "ivanov-19.08.1984",
        "dragonmonkey123",
        "1-drowssaP-2026",
        "1q2w3e4r5t6y7u8i9o0p",
        "qazwsxedcrfvtgb",
        "Summer!Summer!2026",
        "livearchive-acme",
    ],
)
def test_what_is_guessed_first_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        good(text)
    assert caught.value.field == "password"
    assert text == "" or text not in caught.value.message


@pytest.mark.parametrize("change", ["{0}{0}{0}{0}", "{0}-{0}-2026", "{0}111111111111"])
def test_no_common_password_becomes_a_good_one_by_making_it_longer(change: str) -> None:
    for word in sorted(common())[::101]:
        text = change.format(word)
        assert len(text) < SHORTEST or guess(text, frozenset()).is_soon, text


def test_words_that_have_nothing_to_do_with_each_other_are_never_refused() -> None:
    draw = random.Random(20261124)
    words = sorted(word for word in common() if word.isalpha() and len(word) > 4)
    for _ in range(300):
        good(" ".join(draw.sample(words, 4)))


def test_a_long_text_of_words_takes_no_long_time() -> None:
    assert guess("a" * LONGEST, frozenset()).is_soon
    assert not guess("".join(sorted(common())[::50])[:LONGEST], frozenset()).is_soon


def test_a_generated_password_is_good_and_never_the_same() -> None:
    made = {generate().reveal() for _ in range(200)}
    assert len(made) == 200
    for text in made:
        good(text)
        assert len(text) == 24
