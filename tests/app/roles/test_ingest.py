"""The settings of the ingest role reach its listeners."""

from ipaddress import ip_network

from app.config import Config
from app.roles.ingest import ingest_config
from smtp_ingest.trust import TrustedHosts


def test_each_list_of_hosts_is_the_one_that_its_setting_names() -> None:
    names = ("SMTP_PROXIES", "LMTP_PROXIES", "XCLIENT_HOSTS", "XFORWARD_HOSTS", "TRUSTED_FEEDS")
    given = {f"LIVEARCHIVE_{name}": f"192.0.2.{at}" for at, name in enumerate(names)}
    trusted = ingest_config(Config.load(given)).trusted
    lists = (
        trusted.smtp_proxies,
        trusted.lmtp_proxies,
        trusted.xclient,
        trusted.xforward,
        trusted.feeds,
    )
    assert lists == tuple((ip_network(f"192.0.2.{at}"),) for at in range(5))


def test_nobody_is_trusted_by_default() -> None:
    trusted = ingest_config(Config.load({})).trusted
    assert trusted == TrustedHosts()
