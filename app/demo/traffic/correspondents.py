"""Everybody who writes in the sample mail, and the firms whose papers it carries."""

from app.demo.traffic.documents import Firm
from app.demo.traffic.letter import Person

# The organisation. Those with a mailbox are in app.demo.people; the others only have addresses.
VLAD = Person("Vlad Mazek", "vlad@acme.example")
SALES = Person("Acme Sales", "sales@acme.example")
OWNWEBNOW = Person("Vlad Mazek", "vlad@ownwebnow.example")
MARIA = Person("Maria Lopez", "maria@acme.example")
AUDIT = Person("Audit", "audit@acme.example")
LARS = Person("Lars Holm", "lars@acme.example")
INES = Person("Ines Roth", "ines@acme.example")
SCANNER = Person("Scanner, hall 1", "scanner@acme.example")

# Customers and partners.
HANNA = Person("Hanna Berg", "hanna.berg@brightwater.example")
JUN = Person("Jun Watanabe", "jun.watanabe@kitaura-seiki.example")
JUN_IN_JAPANESE = Person("渡辺 純", "jun.watanabe@kitaura-seiki.example")
LAYLA = Person("ليلى حداد", "layla@almanar.example")
TOMAS = Person("Tomás Ferreira", "tomas@ferreira-advogados.example")
PRIYA = Person("Priya Nair", "priya.nair@northwind.example")
BILLING = Person("Okafor & Lindqvist LLP", "billing@okafor-lindqvist.example")
HAFENKONTOR = Person("Hafenkontor Insurance", "policies@hafenkontor.example")
OWEN = Person("Owen Price", "owen@pricebooks.example")
AGNES = Person("Agnès Lefèvre", "agnes@pricebooks.example")
DANA = Person("Dana Whitfield", "dana@whitfield-studio.example")
CARLA = Person("Carla Moreno", "carla@moreno-family.example")
KRANZ = Person("Kranz Bürobedarf", "auftrag@kranz-buero.example")
ELENI = Person("Eleni Papadaki", "eleni@blueharbour.example")
PEDER = Person("Peder Lund", "peder.lund@skagerrak-marine.example")

# Machines.
FREIGHT = Person("Northwind Freight", "dispatch@northwindfreight.example")
PARCELS = Person("Paketwerk", "noreply@paketwerk.example")
STATUS = Person("Cloudharbour Status", "status@cloudharbour.example")
TRAINS = Person("Nordbahn", "tickets@nordbahn.example")
WORKBENCH = Person("Werkbank", "no-reply@werkbank.example")
REGISTRAR = Person("Namehaven", "renewals@namehaven.example")
AYLIN = Person("ayd (Aylin Demir)", "notifications@forgehub.example")
BUILDS = Person("acme/portal", "portal@noreply.forgehub.example")
QUAY = Person("The Quay", "weekly@thequay.example")
COFFEE = Person("Kontor Coffee", "hello@kontorcoffee.example")
TENDERS = Person("Harbour Authority, Procurement", "tenders@harbour-authority.example")
MAILER = Person("Mail Delivery System", "MAILER-DAEMON@mx.brightwater.example")

# The mailing list and those who discuss on it.
LIST = Person("Continuity", "continuity@lists.opsguild.example")
RUTH = Person("Ruth Abele", "ruth@abele.example")
SAM = Person("Sam Oyelaran", "sam@oyelaran.example")
NILS = Person("Nils Brandt", "nils.brandt@stadtwerke.example")
MEI = Person("Mei Tanaka", "mei@tanaka-ops.example")

ACME_FIRM = Firm(
    "Acme Ltd",
    "Harbour Street 12",
    "20457 Hamburg",
    "Acme Ltd, managing director Ines Roth, VAT DE 999 000 111\n"
    "IBAN DE00 1000 0000 0123 4567 89, BIC EXAMPLEDEXX",
)
BRIGHTWATER_FIRM = Firm(
    "Brightwater Boats",
    "Harbour Street 31",
    "20457 Hamburg",
    "Brightwater Boats GmbH, purchasing, +49 40 5550 3100\n"
    "Please name the order number on all papers.",
    (0.07, 0.42, 0.45),
)
LAWYERS_FIRM = Firm(
    "Okafor & Lindqvist LLP",
    "Königsallee 4",
    "40212 Düsseldorf",
    "Okafor & Lindqvist LLP, partnership register 0000\nIBAN DE00 1000 0000 9876 5432 10",
)
