"""Boxes open in their place with their key, and nowhere else."""

import os
from datetime import date

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from archive_store import seal
from archive_store.errors import SealBroken

HERE, THERE = seal.context("test", b"here"), seal.context("test", b"there")


def test_hpke_opens_with_the_private_half_in_its_place_only() -> None:
    pair = seal.KeyPair.generate()
    sealed = seal.seal_to(seal.load_public(pair.public), b"secret", HERE)
    assert seal.open_with(pair.private, sealed, HERE) == b"secret"
    with pytest.raises(SealBroken):
        seal.open_with(pair.private, sealed, THERE)
    with pytest.raises(SealBroken):
        seal.open_with(seal.KeyPair.generate().private, sealed, HERE)


def test_wraps_and_boxes_are_bound_to_key_and_place() -> None:
    key, other = seal.new_key(), seal.new_key()
    wrapped = seal.wrap_kek(key, b"inner", HERE)
    assert seal.unwrap_kek(key, wrapped, HERE) == b"inner"
    box = seal.seal_box(AESGCM(key), b"inner", HERE)
    assert seal.open_box(key, box, HERE) == b"inner"
    for wrong_key, wrong_place in ((other, HERE), (key, THERE)):
        with pytest.raises(SealBroken):
            seal.unwrap_kek(wrong_key, wrapped, wrong_place)
        with pytest.raises(SealBroken):
            seal.open_box(wrong_key, box, wrong_place)


def test_a_wrap_has_the_size_that_the_frame_reserves() -> None:
    assert len(seal.seal_box(AESGCM(seal.new_key()), seal.new_key(), HERE)) == seal.WRAP_OCTETS


def test_two_places_never_have_the_same_context() -> None:
    assert seal.context("k", b"ab", b"c") != seal.context("k", b"a", b"bc")
    assert seal.context("k", date(2026, 11, 24)) == seal.context("k", b"2026-11-24")


def _stream(octets: bytes) -> tuple[bytes, bytes]:
    key = seal.new_key()
    return key, seal.seal_content(key, octets, HERE)


def test_content_cannot_be_cut_reordered_or_extended() -> None:
    octets = os.urandom(3 * seal.CHUNK_OCTETS)
    key, sealed = _stream(octets)
    step = seal.CHUNK_OCTETS + seal.TAG_OCTETS
    chunks = [sealed[at : at + step] for at in range(0, len(sealed), step)]
    assert len(chunks) > 3
    broken = [
        b"".join(chunks[:-1]),
        b"".join([chunks[1], chunks[0], *chunks[2:]]),
        sealed + chunks[-1],
        sealed[:-1],
        b"",
    ]
    for one in broken:
        with pytest.raises(SealBroken):
            seal.open_content(key, one, HERE, len(octets))


def test_content_of_another_size_than_said_is_refused() -> None:
    key, sealed = _stream(b"hello")
    for size in (4, 6):
        with pytest.raises(SealBroken):
            seal.open_content(key, sealed, HERE, size)


@given(st.binary(max_size=3000))
def test_content_of_any_octets_comes_back(octets: bytes) -> None:
    key, sealed = _stream(octets)
    assert seal.open_content(key, sealed, HERE, len(octets)) == octets


@given(st.binary(max_size=600), st.integers(1, 300))
def test_padding_comes_off_again_and_hides_the_length(plain: bytes, step: int) -> None:
    padded = seal.pad(plain, step)
    assert len(padded) % step == 0
    assert seal.unpad(padded) == plain
