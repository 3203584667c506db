"""A proxy between an SDK and the collector that does to requests what networks do, over real TCP.

It is seeded, and after so many misfortunes it behaves, so that every test ends.
"""

import asyncio
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from types import TracebackType

MISFORTUNES = (
    "answer_dropped",
    "failed_before",
    "failed_after",
    "told_to_wait",
    "reset_before",
    "reset_within",
    "reset_after",
)
"""What may happen to a request; each is a method of the proxy."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Act = Callable[[bytes, Streams], Awaitable[bool]]
"""Deals with a request; whether the connection goes on."""

_TRY_LATER = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 2\r\n\r\n{}"
_FAILED = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n"


class HostileProxy:
    """Listens while the block lasts; ``happened`` counts what it did."""

    def __init__(self, upstream: int, *, seed: int, misfortunes: int) -> None:
        self.happened: Counter[str] = Counter()
        self._upstream = upstream
        self._random = random.Random(seed)
        self._left = misfortunes
        self._queue: list[str] = []

    def __enter__(self) -> "HostileProxy":
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _run(self, started: threading.Event) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve(started))

    async def _serve(self, started: threading.Event) -> None:
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.port: int = server.sockets[0].getsockname()[1]
        started.set()
        await self._stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await _message(reader):
                act: Act = getattr(self, f"_{self._fate()}")
                if not await act(request, (reader, writer)):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def _fate(self) -> str:
        """Half of the requests meet a misfortune, each kind as often as the others."""
        if not self._left or self._random.random() < 0.5:
            return "passed"
        self._left -= 1
        if not self._queue:
            self._queue = list(MISFORTUNES)
            self._random.shuffle(self._queue)
        fate = self._queue.pop()
        self.happened[fate] += 1
        return fate

    async def _forward(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        writer.write(request)
        answer = await _message(reader)
        writer.close()
        return answer

    async def _passed(self, request: bytes, streams: Streams) -> bool:
        streams[1].write(await self._forward(request))
        self.happened["passed"] += 1
        return True

    async def _answer_dropped(self, request: bytes, streams: Streams) -> bool:
        await self._forward(request)
        return False

    async def _failed_before(self, request: bytes, streams: Streams) -> bool:
        streams[1].write(_FAILED)
        return True

    async def _failed_after(self, request: bytes, streams: Streams) -> bool:
        await self._forward(request)
        streams[1].write(_FAILED)
        return True

    async def _told_to_wait(self, request: bytes, streams: Streams) -> bool:
        streams[1].write(_TRY_LATER)
        return True

    async def _reset_before(self, request: bytes, streams: Streams) -> bool:
        _reset(streams[1])
        return False

    async def _reset_within(self, request: bytes, streams: Streams) -> bool:
        """The collector sees half a request and a reset."""
        _, writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        writer.write(request[: len(request) // 2])
        await writer.drain()
        _reset(writer)
        _reset(streams[1])
        return False

    async def _reset_after(self, request: bytes, streams: Streams) -> bool:
        await self._forward(request)
        _reset(streams[1])
        return False


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a TCP reset instead of an orderly end."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """One HTTP message with a length or in chunks; empty at the end of the stream."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    lines = [line.partition(b":") for line in head.lower().split(b"\r\n")[1:]]
    fields = {name.strip(): value.strip() for name, _, value in lines}
    if b"chunked" in fields.get(b"transfer-encoding", b""):
        return head + await _chunks(reader)
    return head + await reader.readexactly(int(fields.get(b"content-length", b"0")))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    whole = b""
    while True:
        line = await reader.readuntil(b"\r\n")
        rest = await reader.readexactly(int(line, 16) + 2)
        whole += line + rest
        if int(line, 16) == 0:
            return whole
