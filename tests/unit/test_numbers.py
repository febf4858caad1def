"""Case numbers: not guessable, readable over the phone, and a slip of the pen is noticed."""

from __future__ import annotations

import math

from escalation.numbers import ALPHABET, MOST_FOUND, RANDOM_CHARACTERS, new_number, normalised, numbers_in


def test_enough_randomness_and_no_look_alikes() -> None:
    assert math.log2(len(set(ALPHABET))) * RANDOM_CHARACTERS >= 40
    assert not set("0OQ1IL2Z5S8B6G") & set(ALPHABET) - set("68")
    assert len({new_number() for _ in range(2_000)}) == 2_000


def test_a_number_is_understood_however_it_is_written() -> None:
    number = new_number()
    loose = number.replace("-", " ").lower()
    assert normalised(number) == normalised(loose) == normalised(f"  {number.replace('-', '')} ") == number


def test_every_wrong_character_and_every_swap_is_noticed() -> None:
    number = new_number()
    whole = number[3:].replace("-", "")
    for place, right in enumerate(whole):
        for wrong in set(ALPHABET) - {right}:
            assert normalised("RD-" + whole[:place] + wrong + whole[place + 1 :]) is None
    for place in range(len(whole) - 1):
        if whole[place] != whole[place + 1]:
            swapped = whole[:place] + whole[place + 1] + whole[place] + whole[place + 2 :]
            assert normalised("RD-" + swapped) is None


def test_nonsense_is_no_number() -> None:
    assert normalised("RD-00000-00000") is None
    assert normalised("") is None
    assert normalised("RD-ABC") is None


def test_numbers_within_a_text() -> None:
    one, two = new_number(), new_number()
    text = f"关于{one}的投诉, and {two.lower().replace('-', ' ')}; {one} again, RD-34333-33333, {one}7, X{two}, RD"
    assert numbers_in(text) == [one, two]
    assert numbers_in(" ".join(new_number() for _ in range(MOST_FOUND + 1)))[MOST_FOUND:] == []
    assert numbers_in("RD- " * 100_000 + one) == []
