"""The words the generator draws from: first names, family names, towns, firms and products."""

from decimal import Decimal
from typing import NamedTuple

# fmt: off
FIRST_NAMES = (
    "Ada", "Alba", "Alejandro", "Alice", "Andrea", "Anton", "Beatriz", "Berta", "Boris", "Camille",
    "Carlos", "Cecilia", "Chiara", "Clara", "Daniel", "Diego", "Dora", "Edgar", "Elena", "Emil", "Emma",
    "Erik", "Eva", "Fabian", "Fatima", "Felix", "Fernando", "Flora", "Gabriel", "Georg", "Gloria", "Hana",
    "Hector", "Henrik", "Ida", "Igor", "Irene", "Isabel", "Ivan", "Jana", "Javier", "Joana", "Johan",
    "Julia", "Karim", "Katja", "Laura", "Leo", "Leila", "Lena", "Luca", "Luis", "Magda", "Manuel", "Marco",
    "Maria", "Marta", "Martin", "Mateo", "Maya", "Mikael", "Mina", "Nils", "Nina", "Nora", "Olga", "Oliver",
    "Omar", "Paula", "Pavel", "Pedro", "Quentin", "Rafael", "Raquel", "Renata", "Rita", "Robin", "Ruben",
    "Ruth", "Sara", "Sergio", "Silvia", "Simon", "Stella", "Stefan", "Teresa", "Theo", "Tina", "Tomas",
    "Ulla", "Valentin", "Vera", "Victor", "Viola", "Walter", "Wanda", "Xavier", "Yara", "Yusuf", "Zoe",
)

FAMILY_NAMES = (
    "Abbott", "Acosta", "Aguilar", "Andersen", "Arias", "Bauer", "Becker", "Bell", "Benitez", "Berg",
    "Bianchi", "Blanco", "Bravo", "Calvo", "Campos", "Carrasco", "Castro", "Conti", "Crespo", "Dahl",
    "Delgado", "Dubois", "Egger", "Eriksen", "Esteban", "Falk", "Fischer", "Flores", "Fontana", "Fuentes",
    "Gallo", "Garrido", "Gil", "Graf", "Greco", "Gruber", "Guerrero", "Hansen", "Heikkinen", "Herrera",
    "Hofer", "Ibarra", "Iglesias", "Jansson", "Jimenez", "Kaiser", "Keller", "Koch", "Kovacs", "Kruger",
    "Lambert", "Larsen", "Leclerc", "Leon", "Lopez", "Lorenzo", "Lund", "Marin", "Marino", "Medina",
    "Meyer", "Molina", "Moreau", "Moreno", "Muller", "Navarro", "Nielsen", "Nowak", "Ochoa", "Olsen",
    "Ortega", "Pascual", "Peters", "Ponce", "Prieto", "Ramos", "Reyes", "Ricci", "Rivas", "Rojas", "Romero",
    "Rubio", "Ruiz", "Salas", "Santana", "Schneider", "Serra", "Silva", "Soler", "Sorensen", "Suarez",
    "Torres", "Vargas", "Vega", "Vidal", "Vogel", "Wagner", "Weiss", "Winter", "Wolf", "Zamora", "Zeman",
)
# fmt: on

MAIL_HOSTS = ("mail.example", "post.example", "inbox.example", "correo.example")

STREETS = (
    "Mill Lane",
    "Calle Mayor",
    "Harbour Street",
    "Station Road",
    "Rue du Port",
    "Gartenweg",
    "Via Roma",
)

TOWNS = (
    ("Valencia", "46001", "ES"),
    ("Porto", "4000", "PT"),
    ("Lyon", "69001", "FR"),
    ("Bremen", "28195", "DE"),
    ("Bergen", "5003", "NO"),
    ("Bologna", "40121", "IT"),
    ("Leeds", "LS1", "GB"),
)

FIRMS = (
    ("Alder Logistics", "alder-logistics.example"),
    ("Bluefin Studios", "bluefin.example"),
    ("Cobalt Dental", "cobalt-dental.example"),
    ("Dune Architects", "dune-architects.example"),
    ("Elm & Partners", "elmpartners.example"),
    ("Fjord Software", "fjordsoft.example"),
    ("Granite Bank", "granitebank.example"),
    ("Hazel Hotels", "hazelhotels.example"),
    ("Indigo Print", "indigoprint.example"),
    ("Juniper Energy", "juniper-energy.example"),
)

JOB_TITLES = ("Office manager", "Head of purchasing", "Facility manager", "Assistant", "Managing director")

CAMPAIGNS = ("spring-beans", "grinder-week", "office-offer", "brew-guide", "new-roast", "members-day")

PAPERS = ("Coffee in the office", "The cost of a bad cup", "Water and taste")

WEBINARS = (
    ("W-01", "Espresso at work", 12),
    ("W-02", "Choosing a grinder", 41),
    ("W-03", "Beans and budget", 70),
)
"""Code, title, and the day of the demo on which each webinar takes place."""


class Product(NamedTuple):
    """Something the shop sells; the price is in euros."""

    sku: str
    name: str
    category: str
    price: Decimal


PRODUCTS = tuple(
    Product(sku, name, category, Decimal(price))
    for sku, name, category, price in (
        ("B-100", "House espresso 1 kg", "beans", "18.90"),
        ("B-110", "Single origin Huila 500 g", "beans", "14.50"),
        ("B-120", "Decaf 500 g", "beans", "11.20"),
        ("F-200", "Paper filters, 100 pieces", "supplies", "4.95"),
        ("F-210", "Cleaning tablets", "supplies", "9.80"),
        ("G-300", "Hand grinder", "grinders", "64.00"),
        ("G-310", "Electric grinder", "grinders", "189.00"),
        ("M-400", "Moka pot", "makers", "32.40"),
        ("M-410", "Pour-over set", "makers", "45.60"),
        ("M-420", "Lever espresso machine", "makers", "549.00"),
        ("C-500", "Cup, set of four", "cups", "27.30"),
        ("C-510", "Travel mug", "cups", "19.75"),
    )
)
