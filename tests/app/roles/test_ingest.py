"""The settings of the ingest role reach its listeners."""

import resource
from ipaddress import ip_network

from app.config import Config
from app.roles.ingest import allowed_sessions, ingest_config
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


def test_a_session_is_let_in_only_if_there_is_a_file_for_it() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(2500, hard - 200)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        assert allowed_sessions(wanted) == wanted
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > wanted
        assert allowed_sessions(hard) < hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
