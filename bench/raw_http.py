"""A small HTTP client that costs little, so that it measures the server and not itself."""

import asyncio
from collections import deque
from urllib.parse import urlsplit


class RawClient:
    """Keep-alive connections to one server; as many as requests under way at once."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        lines = {"Host": parts.netloc, **headers}
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode()
        self._idle: deque[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = deque()

    async def request(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Send one request; the status and the body of its answer."""
        reader, writer = (
            self._idle.popleft() if self._idle else await asyncio.open_connection(self._host, self._port)
        )
        start = f"{method} {path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n".encode()
        writer.write(start + self._headers + b"\r\n" + body)
        head = await reader.readuntil(b"\r\n\r\n")
        lowered = head.lower()
        place = lowered.index(b"content-length:") + 15
        length = int(lowered[place : lowered.index(b"\r\n", place)])
        content = await reader.readexactly(length) if length else b""
        self._idle.append((reader, writer))
        return int(head[9:12]), content

    async def close(self) -> None:
        """Close the connections; no request may be under way."""
        for _, writer in self._idle:
            writer.close()
            await writer.wait_closed()
        self._idle.clear()
