"""Links that lead elsewhere than they seem to get a mark; those of ordinary mail get none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.markup import leads

PUNY = "xn--pypal-4ve.com"


@pytest.mark.parametrize(
    ("url", "text", "place"),
    [
        ("https://evil.net/login", "https://www.bank.com/login", "evil.net"),
        ("https://evil.net/", "www.bank.com", "evil.net"),
        ("https://evil.net/", "bank.com", "evil.net"),
        ("https://evil.net/", "Bank.COM/login", "evil.net"),
        ("https://evil.net/", "Log in at https://bank.com today", "evil.net"),
        ("https://evil.net/", "b\u00adank\u200b.com", "evil.net"),
        ("https://evil.net/", "\uff42ank.com", "evil.net"),  # a wide b
        ("https://evil.net/", "\u202emoc.knab//:sptth", "evil.net"),
        ("https://bank.com.evil.net/", "https://bank.com", "bank.com.evil.net"),
        ("https://foo.github.io/", "https://bar.github.io", "foo.github.io"),
        ("https://bank.co.uk/", "https://shop.co.uk", "bank.co.uk"),
        ("https:\\\\evil.net\\bank.com", "bank.com", "evil.net"),
        ("https:/evil.net", "bank.com", "evil.net"),
        ("HTTPS://EVIL.NET", "bank.com", "evil.net"),
        ("https://%65vil.net/", "bank.com", "evil.net"),
        ("https://bank.com@evil.net/", "Your account", "evil.net"),
        ("https://bank.com:443@evil.net/", "https://bank.com", "evil.net"),
        ("https://bank.com%2flogin@evil.net/", "Your account", "evil.net"),
        ("https://p\u0430ypal.com/", "Your account", f"{PUNY} (p\u0430ypal.com)"),
        (f"https://{PUNY}/", "Your account", f"{PUNY} (p\u0430ypal.com)"),
        (f"https://{PUNY}/", f"https://{PUNY}/", f"{PUNY} (p\u0430ypal.com)"),
        ("http://203.0.114.7/x", "Your account", "203.0.114.7"),
        ("http://3405804039/", "Your account", "203.0.114.7"),
        ("http://0xcb.0.0x72.7/", "https://bank.com", "203.0.114.7"),
        ("http://[2001:4860::7]/", "Your account", "[2001:4860::7]"),
        ("http://192.168.0.1/", "https://bank.com", "192.168.0.1"),
        ("mailto:x@evil.net", "service@bank.com", "x@evil.net"),
        ("mailto:x%40evil.net?subject=service@bank.com", "service@bank.com", "x@evil.net"),
        (
            "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fevil.net%2F&data=1",
            "https://bank.com",
            "evil.net",
        ),
        ("https://urldefense.com/v3/__https://evil.net/x__;!!abc$", "https://bank.com", "evil.net"),
    ],
)
def test_a_link_that_seems_to_lead_elsewhere_is_told(url: str, text: str, place: str) -> None:
    assert leads.suspicion(url, text) == place


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://click.tracker.com/abc", "Read more"),
        ("https://click.tracker.com/abc", ""),
        ("https://click.tracker.com/abc", "Autumn sale. 20 % off."),
        ("https://click.tracker.com/abc", "README.md"),
        ("https://github.com/x/setup.py", "setup.py"),
        ("https://docs.com/x", "report.final.pdf"),
        ("https://docs.com/x", "Node.js"),
        ("https://docs.com/x", "3.14"),
        ("https://docs.com/x", "Maria.Weiss"),
        ("https://docs.com/x", "e.g."),
        ("https://www.bank.com/", "bank.com"),
        ("http://bank.com/login?next=https://evil.net", "https://www.bank.com"),
        ("https://login.bank.co.uk/", "https://www.bank.co.uk/login"),
        ("https://b.com/", "See https://a.com and https://b.com"),
        ("https://xn--mller-kva.de/", "https://m\u00fcller.de"),
        ("https://m\u00fcller.de/", "https://xn--mller-kva.de"),
        ("https://xn--mller-kva.de/", "M\u00fcller"),
        ("https://xn--80aswg.xn--p1ai/", "\u0441\u0430\u0439\u0442.\u0440\u0444"),
        ("https://bank.com:8443/", "https://bank.com"),
        ("https://bank.com./", "https://bank.com"),
        ("https://anna@bank.com/", "Your account"),
        ("http://192.168.0.1/", "The printer"),
        ("http://203.0.114.7/", "http://203.0.114.7/"),
        ("mailto:x@mail.bank.com", "service@bank.com"),
        ("mailto:x@evil.net", "Write to us"),
        ("https://click.tracker.com/", "info@bank.com"),
        ("tel:+4912345", "bank.com"),
        ("https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fbank.com", "bank.com"),
        ("https://urldefense.com/v3/__https://bank.com/x__;!!abc$", "https://www.bank.com"),
    ],
)
def test_an_ordinary_link_is_not(url: str, text: str) -> None:
    assert leads.suspicion(url, text) == ""


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://bank.com/", "bank.com"),
        ("https://bank.com/a?b=c#d", "bank.com/a?b=c#d"),
        ("https://bank.com@evil.net/a", "evil.net/a"),
        ("https:\\\\evil.net/a", "evil.net/a"),
        ("https://p\u0430ypal.com/", f"{PUNY} (p\u0430ypal.com)"),
        ("https://evil.net/\u202egnp.exe", "evil.net/%E2%80%AEgnp.exe"),
        ("mailto:anna@bank.com", "mailto:anna@bank.com"),
    ],
)
def test_where_a_link_leads_can_be_read(url: str, said: str) -> None:
    assert leads.destination(url) == said


@pytest.mark.parametrize(
    ("html", "count"),
    [
        ('<a href="https://evil.net">bank.com</a>', 1),
        ("<A HREF=https://evil.net>bank.com</A>", 1),
        ('<a href="https://evil.net"><b>ba</b><i>nk.com</i></a>', 1),
        ('<a href="https://evil.net"><img src="cid:x" alt="www.bank.com"></a>', 1),
        ('<a href="https&#58;//evil.net">bank&#46;com</a>', 1),
        ('<a href="https://evil.net" href="https://bank.com">bank.com</a>', 1),
        ('<a href="https://evil.net">https://bank.com', 1),
        ('<a href="https://evil.net">bank.com<a href="https://bank.com">bank.com</a>', 1),
        ('<a href="https://evil.net"><p>Our shop</p><p>bank</p></a>', 0),
        ('<a name="x">bank.com</a>', 0),
        ('<a href="javascript:x">bank.com</a>', 0),
        ("bank.com", 0),
    ],
)
def test_the_links_of_a_document_are_counted(html: str, count: int) -> None:
    assert leads.marked_links(html) == count


def test_the_links_of_a_text_are_counted() -> None:
    text = f"www.bank.com@evil.net and https://bank.com@evil.net but https://bank.com {PUNY}"
    assert leads.disguised_links(text) == 2
    assert leads.disguised_links("x" * 2_000_000 + "https://") == 0


@given(st.text(max_size=200), st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_nothing_raises(url: str, text: str) -> None:
    for one in (url, f"https://{url}", f"mailto:{url}", f"https://urldefense.com/v3/__{url}__;"):
        leads.suspicion(one, text)
        assert leads.destination(one).isprintable()
    leads.marked_links(f'<a href="https://{url}">{text}')


@pytest.mark.parametrize("text", ["www." * 500_000, "a@" * 500_000, "https://" * 300_000])
def test_long_lines_are_read(text: str) -> None:
    leads.suspicion(f"https://evil.net/{text}", text)
    assert leads.disguised_links(text) == 0
