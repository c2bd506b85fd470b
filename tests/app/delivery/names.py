"""A DNS server for the tests: what it answers from a zone."""

from collections.abc import Mapping, Sequence

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Zone = Mapping[tuple[str, str], Sequence[str]]


def answered(zone: Zone, data: bytes) -> bytes:
    """NXDOMAIN for unknown names, SERVFAIL for broken.example and what is below it."""
    query = dns.message.from_wire(data)
    question = query.question[0]
    name = question.name.to_text(omit_final_dot=True)
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.RA
    found = zone.get((name, dns.rdatatype.to_text(question.rdtype)))
    if found:
        answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", question.rdtype, *found))
    elif name.endswith("broken.example"):
        answer.set_rcode(dns.rcode.SERVFAIL)
    elif name not in {known for known, _ in zone}:
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer.to_wire()
