"""Exchanges: one HTTP/1.1 request and the part of its answer that matters.

A general HTTP client takes milliseconds of the processor for each request, which
the fold would miss; a webhook needs a POST of known length, a status and one header.
"""

import asyncio

import httptools


class BadAnswer(Exception):
    """The connection ended before an answer, or the answer is not HTTP; the text says which."""


class Exchange(asyncio.Protocol):
    """One connection, for one request after another.

    An answer is read up to ``answer_bytes`` and thrown away, so that the
    connection can be used again; beyond that the connection is closed.
    ``status`` is set as soon as the head of the answer has been read, and
    ``reusable`` says whether another request may follow.
    """

    def __init__(self, answer_bytes: int) -> None:
        self.status: int | None = None
        self.retry_after = ""
        self.reusable = False
        self._answer_bytes = answer_bytes
        self._seen = 0
        self._transport: asyncio.Transport | None = None
        self._over: asyncio.Future[None] | None = None
        self._parser = httptools.HttpResponseParser(self)

    async def post(self, request: bytes) -> None:
        """Send a request and read its answer.

        Raises ``BadAnswer`` if there is none. Whatever is raised, the request
        may have arrived, and ``status`` is set if the head was seen.
        """
        self.status, self.retry_after, self.reusable, self._seen = None, "", False, 0
        self._over = asyncio.get_running_loop().create_future()
        if self._transport is None or self._transport.is_closing():
            raise BadAnswer("the connection was closed")
        self._transport.write(request)
        try:
            await self._over
        finally:
            if not self.reusable:
                self.close()

    def close(self) -> None:
        """Close the connection at once."""
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Called by the event loop."""
        self.reusable = False
        self._end(None if self.status else BadAnswer("the connection was closed"))

    def data_received(self, data: bytes) -> None:
        """Called by the event loop with a piece of an answer."""
        self._seen += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._end(None)
        except httptools.HttpParserError:
            self._end(None if self.status else BadAnswer("the answer is not HTTP"))
        if self._seen > self._answer_bytes:
            self._end(None if self.status else BadAnswer("the head of the answer is too long"))

    def on_message_begin(self) -> None:
        """Called by the parser; an answer that nobody asked for makes the connection useless."""
        if self._over is None or self._over.done():
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        if name.lower() == b"retry-after":
            self.retry_after = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Called by the parser; answers of 1xx but 101 announce another one."""
        status = self._parser.get_status_code()
        if self.status is None and (status >= 200 or status == 101):
            self.status = status

    def on_message_complete(self) -> None:
        """Called by the parser."""
        if self.status is not None and self._over is not None and not self._over.done():
            self.reusable = self._parser.should_keep_alive()
            self._end(None)

    def _end(self, error: BadAnswer | None) -> None:
        if self._over is not None and not self._over.done():
            if error is None:
                self._over.set_result(None)
            else:
                self._over.set_exception(error)
