"""Adding many people from a file: all or none, and a look beforehand."""

import pytest
from sqlalchemy import func, select

from app.accounts import user_import
from app.accounts.errors import Taken
from app.accounts.user_import import MOST_OCTETS, ImportPlan
from app.models import User
from app.viewer import Role, Viewer
from tests.app.accounts.conftest import NOW, ROOT, Town

GOOD = "address,name,role\nanna@acme.example,Anna Lee,\nben@acme.example,,auditor\n"


def plan(town: Town, text: str | bytes, who: Viewer | None = None) -> ImportPlan:
    octets = text if isinstance(text, bytes) else text.encode()
    with town.db.read() as tx:
        return user_import.plan(tx, who or ROOT, octets)


def people(town: Town) -> int:
    with town.db.read() as tx:
        return tx.scalar(select(func.count()).select_from(User)) or 0


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "\ufeff" + GOOD,
        GOOD.replace(",", ";"),
        GOOD.replace("\n", "\r\n"),
        GOOD + "\n\n , , \n",
        'role,"Address",Name\n,anna@acme.example,"Anna Lee"\nauditor,ben@acme.example,\n',
    ],
)
def test_a_file_as_spreadsheets_write_it_is_read(town: Town, text: str) -> None:
    found = plan(town, text)
    assert found.problems == ()
    assert [(row.address.text, row.name, row.role) for row in found.rows] == [
        ("anna@acme.example", "Anna Lee", Role.USER),
        ("ben@acme.example", "ben", Role.AUDITOR),
    ]


def test_a_plan_changes_nothing_and_applying_it_adds_everybody(town: Town) -> None:
    before = people(town)
    found = plan(town, GOOD)
    assert people(town) == before
    prepared = [user_import.prepare(town.passwords, row) for row in found.rows]
    with town.db.write() as tx:
        added = user_import.apply(tx, ROOT, prepared, NOW)
    assert [user.address for user in added] == ["anna@acme.example", "ben@acme.example"]
    for user, one in zip(added, prepared, strict=True):
        assert town.passwords.check(user.password_hash, one.password)
    assert people(town) == before + 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("nonsense,Anna,user", "not an e-mail address"),
        ("anna@elsewhere.example,Anna,user", "no such domain"),
        ("vlad@acme.example,Vlad,user", "taken"),
        ("ANNA@acme.example,Anna,user", "line 2"),
        ("x@acme.example,X,king", "role"),
        ('x@acme.example,"a\x07b",user', "cannot be seen"),
        (",Nobody,user", "not an e-mail address"),
    ],
)
def test_a_bad_line_is_named_with_the_reason(town: Town, line: str, reason: str) -> None:
    found = plan(town, f"address,name,role\nanna@acme.example,Anna,\n\n{line}\n")
    assert [problem.line for problem in found.problems] == [4]
    assert reason in found.problems[0].message


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"anna@acme.example,Anna\n",
        b"address,address\n",
        b"address,password\nanna@acme.example,secret\n",
        b"\xff\xfe\x00",
        b"address\n" + b"x" * 200_000 + b"\n",
        b"x" * (MOST_OCTETS + 1),
    ],
)
def test_a_file_of_another_kind_is_refused_at_line_one(town: Town, octets: bytes) -> None:
    found = plan(town, octets)
    assert found.rows == ()
    assert [problem.line for problem in found.problems] == [1]


def test_an_administrator_imports_into_the_own_domain_only(town: Town) -> None:
    maria = town.viewer("maria@acme.example")
    text = "address,role\na@acme.example,\nb@other.example,\nc@acme.example,service-provider\n"
    found = plan(town, text, maria)
    assert [row.address.text for row in found.rows] == ["a@acme.example"]
    assert [problem.line for problem in found.problems] == [3, 4]


def test_when_one_cannot_be_added_nobody_is(town: Town) -> None:
    found = plan(town, GOOD)
    prepared = [user_import.prepare(town.passwords, row) for row in found.rows]
    with town.db.write() as tx:
        town.add(tx, "ben@acme.example")
    before = people(town)
    with pytest.raises(Taken), town.db.write() as tx:
        user_import.apply(tx, ROOT, prepared, NOW)
    assert people(town) == before
