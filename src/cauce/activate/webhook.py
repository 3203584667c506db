"""Webhooks: one signed HTTP request, and what came of it."""

import asyncio
import ssl
from collections.abc import Sequence
from importlib.metadata import version

from cauce.activate.answers import Answer, judge
from cauce.activate.connect import AddressForbidden, Resolver, connect
from cauce.activate.delivery import Delivery, Outcome
from cauce.activate.destinations import WebhookTarget
from cauce.activate.exchange import BadAnswer, Exchange
from cauce.activate.settings import ActivateSettings
from cauce.activate.signature import HEADER, sign
from cauce.vocabulary.moment import Clock, Moment

_IDLE_SECONDS = 4.0
"""How long an idle connection is kept: less than common servers keep theirs (5 s and more)."""

_PORTS = {"http": 80, "https": 443}


class Webhook:
    """The connections of one destination. As many are open as requests are under way at a time."""

    batch = 1

    def __init__(
        self,
        destination: WebhookTarget,
        settings: ActivateSettings,
        resolver: Resolver,
        tls: ssl.SSLContext,
        clock: Clock,
    ) -> None:
        url = destination.url
        self.calls = settings.concurrency
        self.rate = destination.rate
        self._clock = clock
        self._destination = destination
        self._answer_bytes = settings.answer_bytes
        self._allow_private = destination.allow_private or settings.allow_private
        self._resolver = resolver
        self._tls = tls if url.scheme == "https" else None
        self._host = url.raw_host.decode("ascii")
        self._port = url.port or _PORTS[url.scheme]
        self._idle: list[tuple[float, Exchange]] = []  # since when; the one used last is at the end
        self._head = (
            f"POST {url.raw_path.decode('ascii')} HTTP/1.1\r\n"
            f"Host: {url.netloc.decode('ascii')}\r\n"
            f"User-Agent: Cauce/{version('cauce')}\r\n"
            "Content-Type: application/json\r\n"
        )

    async def tell(self, deliveries: Sequence[Delivery]) -> list[Answer]:
        """Send each delivery once."""
        return [await self.attempt(one.id, one.body, self._clock()) for one in deliveries]

    async def attempt(self, key: str, body: bytes, at: Moment) -> Answer:
        """Send the body once, under its idempotency key, signed at ``at``.

        Never raises for what the network or the other side does. A fault before
        the request begins to leave is a failure; after it, the outcome is
        unknown. Being cancelled counts as a fault.
        """
        exchange: Exchange | None = None
        try:
            async with asyncio.timeout(self._destination.timeout):
                exchange = await self._connection()
                await exchange.post(self._request(key, body, at))
        except AddressForbidden as error:
            return Answer(Outcome.REFUSED, error=f"the address is not allowed: {error}")
        except TimeoutError:
            return _fault(exchange, f"no answer within {self._destination.timeout:g} s")
        except asyncio.CancelledError:
            return _fault(exchange, "Cauce stopped")
        except BadAnswer as error:
            return _fault(exchange, str(error))
        except OSError as error:
            return _fault(exchange, f"cannot connect ({type(error).__name__})")
        if exchange.reusable:
            self._idle.append((asyncio.get_running_loop().time(), exchange))
        return _fault(exchange, "no answer")

    def close(self) -> None:
        """Close the idle connections."""
        for _, exchange in self._idle:
            exchange.close()
        self._idle.clear()

    async def _connection(self) -> Exchange:
        now = asyncio.get_running_loop().time()
        while self._idle:
            since, exchange = self._idle.pop()
            if exchange.reusable and now - since < _IDLE_SECONDS:
                return exchange
            exchange.close()
        return await connect(
            self._host,
            self._port,
            resolver=self._resolver,
            tls=self._tls,
            allow_private=self._allow_private,
            answer_bytes=self._answer_bytes,
        )

    def _request(self, key: str, body: bytes, at: Moment) -> bytes:
        head = (
            f"{self._head}"
            f"Content-Length: {len(body)}\r\n"
            f"Idempotency-Key: {key}\r\n"
            f"{HEADER}: {sign(self._destination.secret.read(), body, at)}\r\n\r\n"
        )
        return head.encode("ascii") + body


def _fault(exchange: Exchange | None, error: str) -> Answer:
    """What a fault means: nothing was sent, an answer was seen before it, or nobody knows."""
    if exchange is None:
        return Answer(Outcome.FAILED, error=error)
    if exchange.status is not None:
        return judge(exchange.status, exchange.retry_after)
    return Answer(Outcome.UNKNOWN, error=f"{error}, after sending")
