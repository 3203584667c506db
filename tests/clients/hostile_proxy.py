"""A proxy between an SDK and the collector that does what networks do: it loses, delays and refuses."""

import asyncio
import random
import socket
import struct
import threading
from collections import Counter
from enum import StrEnum
from types import TracebackType


class Deed(StrEnum):
    """What the proxy does with a request."""

    FORWARD = "forward"
    DROP_ANSWER = "drop the answer"
    RESET_FIRST = "reset before forwarding"
    FAIL_500 = "answer 500"
    FAIL_503 = "forward, then answer 503"
    SLOW_DOWN = "answer 429"


_WEIGHTS = {Deed.FORWARD: 5, Deed.DROP_ANSWER: 2, Deed.RESET_FIRST: 1, Deed.FAIL_500: 1, Deed.FAIL_503: 1}
_PLAIN = b"Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
_ANSWERS = {
    Deed.FAIL_500: b"HTTP/1.1 500 Internal Server Error\r\n" + _PLAIN,
    Deed.FAIL_503: b"HTTP/1.1 503 Service Unavailable\r\n" + _PLAIN,
    Deed.SLOW_DOWN: b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\n" + _PLAIN,
}


class HostileProxy:
    """Listens on a free port of the loopback; each of the first requests meets every deed once."""

    def __init__(self, target_port: int, seed: int) -> None:
        self.done: Counter[Deed] = Counter()
        self._target = target_port
        self._rng = random.Random(seed)
        self._first = [deed for deed in Deed if deed is not Deed.FORWARD]
        self._rng.shuffle(self._first)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "HostileProxy":
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _end(self) -> None:
        self._server.close()
        await asyncio.sleep(0.1)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    def _choose(self) -> Deed:
        deed = (
            self._first.pop()
            if self._first
            else self._rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        )
        self.done[deed] += 1
        return deed

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection: every answer closes it."""
        try:
            request = await _read_message(reader)
            deed = self._choose()
            if deed in (Deed.FORWARD, Deed.DROP_ANSWER, Deed.FAIL_503):
                answer = await self._forward(request)
                writer.write(answer if deed is Deed.FORWARD else _ANSWERS.get(deed, b""))
            elif deed is Deed.RESET_FIRST:
                _reset(writer)
                return
            else:
                writer.write(_ANSWERS[deed])
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client hung up
        finally:
            writer.close()

    async def _forward(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._target)
        writer.write(request)
        answer = await _read_message(reader)
        writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        return head + b"\r\nConnection: close\r\n\r\n" + body


async def _read_message(reader: asyncio.StreamReader) -> bytes:
    """A request or an answer with Content-Length or in chunks, whole."""
    head = await reader.readuntil(b"\r\n\r\n")
    lowered = head.lower()
    if b"transfer-encoding: chunked" in lowered:
        parts = [head]
        while True:
            size = await reader.readuntil(b"\r\n")
            parts += [size, await reader.readexactly(int(size, 16) + 2)]
            if int(size, 16) == 0:
                return b"".join(parts)
    place = lowered.find(b"content-length:")
    length = int(lowered[place + 15 : lowered.index(b"\r\n", place)]) if place >= 0 else 0
    return head + (await reader.readexactly(length) if length else b"")


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST, as a middlebox does."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
