"""Addresses of pictures: which are taken, and what a request to them looks like."""

import pytest

from app.pictures.web_address import LONGEST, BadAddress, WebAddress


@pytest.mark.parametrize(
    ("url", "host", "target"),
    [
        ("http://pics.example/a.png", "pics.example", "/a.png"),
        ("HTTPS://Pics.EXAMPLE:443?u=1#here", "pics.example", "/?u=1"),
        ("https://pics.example./a b/ä.png?q=a b", "pics.example", "/a%20b/%C3%A4.png?q=a%20b"),
        ("https://pics.example/%0d%0aX:1", "pics.example", "/%0d%0aX:1"),
        ("https://bücher.example/a", "xn--bcher-kva.example", "/a"),
        ("http://①②⑦.⓪.⓪.①/a", "127.0.0.1", "/a"),  # what it means is judged later
        ("http://[2001:DB8::1]/a", "2001:db8::1", "/a"),
        ("http://a_b.example/\r\nHost: other", "a_b.example", "/Host:%20other"),
    ],
)
def test_an_address_is_read_as_browsers_read_it(url: str, host: str, target: str) -> None:
    address = WebAddress.parse(url)
    assert (address.host, address.target) == (host, target)
    assert address.port == (443 if url.lower().startswith("https") else 80)
    assert WebAddress.parse(address.url) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "//pics.example/a",
        "ftp://pics.example/a",
        "file:///etc/passwd",
        "gopher://pics.example/",
        "javascript:alert(1)",
        "http:///a",
        "http://pics.example:8080/a",
        "http://pics.example:443/a",
        "https://pics.example:22/",
        "http://pics.example:x/",
        "http://pics.example@127.0.0.1/",
        "http://user:secret@pics.example/a",
        "http://pics.example\\@127.0.0.1/",
        "http://127.0.0.1\\.pics.example/",
        "http://pics..example/",
        "http://pics.example%2f@x/",
        "http://pics%2eexample/",
        "http://a b/",
        "http://[fe80::1%25eth0]/",
        "http://[::1/",
        "http://" + "a" * 64 + ".example/",
        "http://" + "a." * 130 + "example/",
        "http://pics.example/" + "a" * LONGEST,
    ],
)
def test_all_else_is_no_address(url: str) -> None:
    with pytest.raises(BadAddress):
        WebAddress.parse(url)


def test_a_redirect_is_read_against_where_it_came_from() -> None:
    address = WebAddress.parse("https://pics.example/a/b.png")
    assert address.redirected("../c.png").url == "https://pics.example/c.png"
    assert address.redirected("//other.example/d").url == "https://other.example/d"
    for location in ("file:///etc/passwd", "http://user@other.example/", "http://[", ""):
        if location:
            with pytest.raises(BadAddress):
                address.redirected(location)
