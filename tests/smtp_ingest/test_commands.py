"""Command lines are read strictly, and wrong ones get the code that tells the client why."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtp_ingest.commands import Command, MailCommand, Refused, parse_mail, parse_rcpt


def code(refused: pytest.ExceptionInfo[Refused]) -> str:
    return f"{refused.value.reply.code} {refused.value.reply.enhanced}"


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("FROM:<>", MailCommand("")),
        ("from:<a@x.example>", MailCommand("a@x.example")),
        ("FROM: <a@x.example>", MailCommand("a@x.example")),
        ("FROM:<a@x.example> SIZE=12345", MailCommand("a@x.example", size=12345)),
        ("FROM:<a@x.example> size=1 body=8bitmime", MailCommand("a@x.example", 1, True)),
        ("FROM:<a@x.example>  BODY=7BIT", MailCommand("a@x.example")),
        ("FROM:<a@x.example> SMTPUTF8", MailCommand("a@x.example", smtputf8=True)),
        ("FROM:<ж@x.example> SMTPUTF8", MailCommand("ж@x.example", smtputf8=True)),
        ("FROM:<@r.example,@s.example:a@x.example>", MailCommand("a@x.example")),
        ('FROM:<"a b>c"@x.example>', MailCommand('"a b>c"@x.example')),
        (r'FROM:<"a\"b"@x.example>', MailCommand(r'"a\"b"@x.example')),
        ("FROM:<Ann.B@X.Example>", MailCommand("Ann.B@X.Example")),
        ("FROM:<> ret=full ENVID=QQ+2B1", MailCommand("", ret="FULL", envid="QQ+2B1")),
        ("FROM:<a@[192.0.2.1]>", MailCommand("a@[192.0.2.1]")),
    ],
)
def test_mail_is_read(argument: str, expected: MailCommand) -> None:
    assert parse_mail(argument) == expected


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("", "501 5.5.4"),
        ("a@x.example", "501 5.5.4"),
        ("FROM a@x.example", "501 5.5.4"),
        ("FROM:a@x.example", "501 5.5.4"),
        ("FROM:<a@x.example", "501 5.5.4"),
        ("FROM:a@x.example>", "501 5.5.4"),
        ("FROM:<a@x.example>SIZE=1", "501 5.5.4"),
        ("FROM:<a@x.example> <b@x.example>", "501 5.5.4"),
        ("FROM:<a b@x.example>", "501 5.5.4"),
        ('FROM:<"a@x.example>', "501 5.5.4"),
        ("FROM:<a@x.example> SIZE", "501 5.5.4"),
        ("FROM:<a@x.example> SIZE=", "501 5.5.4"),
        ("FROM:<a@x.example> SIZE=-1", "501 5.5.4"),
        ("FROM:<a@x.example> SIZE=1x", "501 5.5.4"),
        ("FROM:<a@x.example> SIZE=\u0661", "501 5.5.4"),
        ("FROM:<a@x.example> SIZE=" + "9" * 21, "501 5.5.4"),
        ("FROM:<a@x.example> SIZE=1 SIZE=2", "501 5.5.4"),
        ("FROM:<a@x.example> BODY=9BIT", "501 5.5.4"),
        ("FROM:<a@x.example> SMTPUTF8=yes", "501 5.5.4"),
        ("FROM:<a@x.example> RET=BODY", "501 5.5.4"),
        ("FROM:<a@x.example> RET", "501 5.5.4"),
        ("FROM:<a@x.example> ENVID=", "501 5.5.4"),
        ("FROM:<a@x.example> ENVID=+0D+0A", "501 5.5.4"),
        ("FROM:<a@x.example> ENVID=a+2", "501 5.5.4"),
        ("FROM:<a@x.example> ENVID=a+2b", "501 5.5.4"),
        ("FROM:<a@x.example> ENVID=ж SMTPUTF8", "501 5.5.4"),
        ("FROM:<a@x.example> ENVID=" + "x" * 101, "501 5.5.4"),
        ("FROM:<a@x.example> NOTIFY=NEVER", "555 5.5.4"),
        ("FROM:<a@x.example> SIZE=ж SMTPUTF8", "501 5.5.4"),
        ("FROM:<a@x.example> AUTH=<>", "555 5.5.4"),
        ("FROM:<a>", "501 5.1.7"),
        ("FROM:<a@>", "501 5.1.7"),
        ("FROM:<a..b@x.example>", "501 5.1.7"),
        ("FROM:<a@x_y.example>", "501 5.1.7"),
        ("FROM:<@r.example:>", "501 5.1.7"),
        ("FROM:<ж@x.example>", "553 5.6.7"),
        ("FROM:<a@ж.example>", "553 5.6.7"),
    ],
)
def test_wrong_mail_is_refused(argument: str, expected: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_mail(argument)
    assert code(refused) == expected


@pytest.mark.parametrize(
    ("argument", "text", "key"),
    [
        ("TO:<Vlad@Acme.Example>", "Vlad@Acme.Example", "vlad@acme.example"),
        ("to: <vlad@acme.example>", "vlad@acme.example", "vlad@acme.example"),
        ("TO:<@r.example:vlad@acme.example>", "vlad@acme.example", "vlad@acme.example"),
        ('TO:<"vlad"@acme.example>', '"vlad"@acme.example', "vlad@acme.example"),
        ("TO:<PostMaster>", "PostMaster", "postmaster@mx.acme.example"),
    ],
)
def test_a_recipient_is_read_and_kept_as_written(argument: str, text: str, key: str) -> None:
    command = parse_rcpt(argument, hostname="MX.acme.example", smtputf8=False)
    assert (command.text, command.address.key) == (text, key)
    assert (command.notify, command.orcpt) == ("", "")


@pytest.mark.parametrize(
    ("parameters", "notify", "orcpt"),
    [
        ("NOTIFY=never", "NEVER", ""),
        ("NOTIFY=Success,delay ORCPT=rfc822;V+2BX@acme.example", "SUCCESS,DELAY",
         "rfc822;V+2BX@acme.example"),
        ("ORCPT=x400;a+20b", "", "x400;a+20b"),
        ("ORCPT=utf-8;\\x{436}@x.example", "", "utf-8;\\x{436}@x.example"),
        ("ORCPT=utf-8;ж@x.example", "", "utf-8;ж@x.example"),
    ],
)  # fmt: skip
def test_what_a_recipient_asks_for_is_read(parameters: str, notify: str, orcpt: str) -> None:
    command = parse_rcpt(f"TO:<v@acme.example> {parameters}", hostname="x.example", smtputf8=True)
    assert (command.notify, command.orcpt) == (notify, orcpt)


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("", "501 5.5.4"),
        ("TO:vlad@acme.example", "501 5.5.4"),
        ("TO:<>", "501 5.1.3"),
        ("TO:<vlad>", "501 5.1.3"),
        ("TO:<vlad@[192.0.2.1]>", "501 5.1.3"),
        ("TO:<vlad@acme.example> RET=FULL", "555 5.5.4"),
        ("TO:<vlad@acme.example> NOTIFY", "501 5.5.4"),
        ("TO:<vlad@acme.example> NOTIFY=", "501 5.5.4"),
        ("TO:<vlad@acme.example> NOTIFY=NEVER,FAILURE", "501 5.5.4"),
        ("TO:<vlad@acme.example> NOTIFY=DELAY,DELAY", "501 5.5.4"),
        ("TO:<vlad@acme.example> NOTIFY=SUCCESS,", "501 5.5.4"),
        ("TO:<vlad@acme.example> NOTIFY=NEVER NOTIFY=NEVER", "501 5.5.4"),
        ("TO:<vlad@acme.example> ORCPT=v@acme.example", "501 5.5.4"),
        ("TO:<vlad@acme.example> ORCPT=rfc822;", "501 5.5.4"),
        ("TO:<vlad@acme.example> ORCPT=;v@acme.example", "501 5.5.4"),
        ("TO:<vlad@acme.example> ORCPT=rfc822;a+0D+0AX:+20y", "501 5.5.4"),
        ("TO:<vlad@acme.example> ORCPT=rfc822;a+00", "501 5.5.4"),
        ("TO:<vlad@acme.example> ORCPT=rfc822;" + "x" * 500, "501 5.5.4"),
        ("TO:<vlad@acme.example> ORCPT=utf-8;\\x{0}", "501 5.5.4"),
        ("TO:<vlad@acme.example> ORCPT=utf-8;ж@x.example", "553 5.6.7"),
        ("TO:<vlad@acme.example> =", "501 5.5.4"),
        ("TO:<влад@acme.example>", "553 5.6.7"),
    ],
)
def test_a_wrong_recipient_is_refused(argument: str, expected: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_rcpt(argument, hostname="mx.acme.example", smtputf8=False)
    assert code(refused) == expected


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=60))
def test_no_octets_do_anything_but_parse_or_be_refused(octets: bytes) -> None:
    for line in (octets, b"MAIL FROM:<" + octets + b">", b"RCPT TO:<" + octets + b"@x.example>"):
        try:
            command = Command.parse(line)
            parse_mail(command.argument)
            parse_rcpt(command.argument, hostname="x.example", smtputf8=True)
        except Refused:
            continue


def test_a_long_line_of_quotes_is_read_in_no_time() -> None:
    for nasty in ('"' * 2000, '"\\' * 1000, '"a"' * 700 + "!", "@a," * 700):
        with pytest.raises(Refused):
            parse_mail(f"FROM:<{nasty}")
