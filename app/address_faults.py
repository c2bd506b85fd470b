"""What can be wrong with an address, as a page says it: see `archive_store.address.BadAddress`."""

from app.phrase import phrase
from archive_store.address import MAX_ADDRESS, BadAddress

_FAULTS = {
    str(fault): fault
    for fault in (
        phrase("an address is a local part, an at sign and a domain"),
        phrase("an address has at most %(most)s octets", most=MAX_ADDRESS),
        phrase("the quoted local part is malformed"),
        phrase("the local part has a character or a dot where none may be"),
        phrase("the local part has a character that cannot be seen"),
        phrase("an IP address in place of the domain is not taken here"),
        phrase("the domain is not a host name"),
        phrase("the domain is an IP address without brackets"),
        phrase("the domain is not an internationalised host name"),
        phrase("the address literal has no closing bracket"),
        phrase("the address literal holds no IP address"),
    )
}


def why(error: BadAddress) -> str:
    """What is wrong, as a part of a sentence."""
    return _FAULTS.get(str(error), str(error))
