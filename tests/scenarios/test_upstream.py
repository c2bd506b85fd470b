"""Real mail servers around us: Postfix before, Postfix or Dovecot behind."""

import smtplib
from collections.abc import Callable

from tests.parts.dovecot import Dovecot
from tests.parts.network import wait_until
from tests.parts.postfix import Postfix, Route
from tests.scenarios.conftest import Town
from tests.scenarios.service import mail


def test_postfix_delivers_to_dovecot_and_copies_every_mail_to_us(
    town: Town, dovecot: Dovecot, start_postfix: Callable[..., Postfix]
) -> None:
    town.service.add_domain("copied.example", "none")
    to = town.service.newcomer("copied.example")
    route = Route("copied.example", dovecot.lmtp_port, "lmtp", copy_port=town.service.ports.smtp)
    postfix = start_postfix(route)
    octets = mail("Through Postfix")
    with smtplib.SMTP("127.0.0.1", postfix.port, timeout=60) as client:
        client.sendmail("hanna@brightwater.example", [to], octets)
    wait_until(lambda: len(town.service.messages(to)) == 1, "our copy is there")
    [delivered] = dovecot.wait_for(to, 1)
    [kept] = town.service.export(to).values()
    assert kept.endswith(octets)  # Postfix put its own Received line on top
    assert delivered.endswith(octets)
    assert town.service.messages(to)[0].envelope_to == to


def test_postfix_as_the_primary_gets_what_waited_once_it_is_up_again(
    town: Town, dovecot: Dovecot, start_postfix: Callable[..., Postfix]
) -> None:
    postfix = start_postfix(Route("real.example", dovecot.lmtp_port, "lmtp"))
    town.service.add_domain("real.example", f"127.0.0.1:{postfix.port}")
    to = town.service.newcomer("real.example")
    town.service.send(mail("While it is up"), to)
    dovecot.wait_for(to, 1)
    postfix.stop()
    while_down = mail("While it is down")
    town.service.send(while_down, to)
    assert len(town.service.messages(to)) == 2
    postfix.start()
    arrived = dovecot.wait_for(to, 2)
    assert len(arrived) == 2
    assert sum(one.endswith(while_down) for one in arrived) == 1
    wait_until(lambda: town.service.waiting("real.example") == 0, "nothing waits")
