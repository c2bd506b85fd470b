"""A forgotten attachment is noticed in the languages of our people."""

import pytest

from app.sending.forgotten import speaks_of_attachment
from app.sending.quoting import FORWARDED


@pytest.mark.parametrize(
    "text",
    [
        "I have attached the plan.",
        "Please see the ATTACHMENT!",
        "Anbei der Plan.",
        "Im Anhang: der Plan",
        "Adjunto el plano.",
        "Vous trouverez le plan ci-joint.",
        "le plan en pièce jointe",
        "Segue em anexo o plano.",
        "資料を添付します。",
        "تجدون الملف المرفق",
    ],
)
def test_it_is_noticed(text: str) -> None:
    assert speaks_of_attachment(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Lunch at noon?",
        "I am unattached to the plan.",
        "Yes.\n\n> I have attached the plan.\n>> Anbei",
        f"See below.\n\n{FORWARDED}\nSubject: attached\n\nThe plan is attached.",
    ],
)
def test_what_is_anothers_or_means_something_else_is_not(text: str) -> None:
    assert not speaks_of_attachment(text)
