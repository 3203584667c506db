"""Visits: what somebody does on the web site, in the app and in the shop in one go."""

import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cauce.vocabulary.moment import HOUR, SECOND, Moment
from demo.chronicle import Chronicle
from demo.names import PRODUCTS, Product
from demo.people import Person

_PAGES = (
    ("Home", "/"),
    ("Beans", "/beans"),
    ("Makers", "/makers"),
    ("Guides", "/guides"),
    ("Offers", "/offers"),
)


@dataclass(slots=True, kw_only=True)
class Visit:
    """One visit under way: who, when, and as whom the systems see her.

    ``cookie`` is the browser's anonymous id; ``user_id`` is empty while nobody
    is signed in. Every step moves ``time`` on by some seconds.
    """

    chronicle: Chronicle
    person: Person
    time: Moment
    cookie: str
    user_id: str = ""
    source: str = "web"
    device: str = ""

    @property
    def who(self) -> dict[str, str]:
        """The identifiers that each call of this visit carries."""
        return {"user_id": self.user_id, "cookie": self.cookie, "device": self.device}

    @property
    def rng(self) -> random.Random:
        """The demo's source of randomness."""
        return self.chronicle.rng

    def wait(self) -> Moment:
        """Let 4 to 90 seconds pass."""
        self.time = Moment(self.time + self.rng.randrange(4 * SECOND, 90 * SECOND, 1_000))
        return self.time

    def look(self, pages: int) -> "Visit":
        """Look at some pages of the site."""
        for _ in range(pages):
            name, path = _PAGES[self.rng.randrange(len(_PAGES))]
            self.chronicle.page(self.person, self.wait(), name, path, **self.who)
        return self

    def track(self, event: str, properties: dict[str, Any], **more: str) -> "Visit":
        """Do something that the web site or the app records."""
        self.chronicle.track(self.source, self.person, self.wait(), event, properties, **(self.who | more))
        return self

    def sign_up(self) -> "Visit":
        """Open an account and be signed in from now on."""
        self.user_id = self.person.user_id
        self._say_who()
        return self.track("Signed Up", {"method": "form"}, email=self.person.email)

    def sign_in(self) -> "Visit":
        """Sign in with the account."""
        self.user_id = self.person.user_id
        self._say_who()
        return self.track("Signed In", {"method": "password"})

    def _say_who(self) -> None:
        traits = {
            "email": self.person.email,
            "firstName": self.person.first,
            "lastName": self.person.last,
        }
        self.chronicle.identify(self.source, self.person, self.wait(), traits, **self.who)

    def shop(self, *, add: float) -> list[Product]:
        """View one to four products; each goes into the cart with probability ``add``."""
        cart = []
        for product in self.rng.sample(PRODUCTS, self.rng.randint(1, 4)):
            item = {"product_id": product.sku, "category": product.category, "price": product.price}
            self.track("Product Viewed", item)
            if self.rng.random() < add:
                self.track("Product Added", item)
                cart.append(product)
        return cart

    def search(self, query: str) -> "Visit":
        """Search the shop."""
        return self.track("Products Searched", {"query": query})

    def order(self, cart: list[Product], *, email: str = "", phone: str = "") -> tuple[str, Decimal]:
        """Buy what is in the cart; the shop's server records it. Gives order id and revenue.

        Signed in, the shop names the customer number; a guest is named by the
        cookie, the e-mail address and perhaps the phone number she types.
        """
        self.track("Checkout Started", {"products": len(cart)})
        order_id = f"O-{self.rng.getrandbits(32):08x}"
        revenue = sum((product.price for product in cart), Decimal(0))
        products = [{"product_id": product.sku, "price": product.price, "quantity": 1} for product in cart]
        properties = {"order_id": order_id, "revenue": revenue, "currency": "EUR", "products": products}
        who = {"user_id": self.user_id, "email": email or self.person.email, "phone": phone}
        if not self.user_id:
            who["cookie"] = self.cookie
        self.chronicle.track("shop", self.person, self.wait(), "Order Completed", properties, **who)
        return order_id, revenue

    def refund(self, order_id: str, revenue: Decimal, *, days: int) -> None:
        """Send an order back some days later; the shop records it under the customer number."""
        properties = {"order_id": order_id, "revenue": revenue, "currency": "EUR"}
        time = Moment(self.time + days * 24 * HOUR)
        self.chronicle.track(
            "shop", self.person, time, "Order Refunded", properties, user_id=self.person.user_id
        )
