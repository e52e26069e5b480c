"""What stands behind nginx when it is tested alone: two replicas that note what reaches them, and the DNS that names them.

A replica answers 200 with its address. What else it does is said by the path: `slam` closes the connection unanswered,
`busy` answers 503, `missing` 404; an upgrade is accepted, and the socket echoes.
"""

import asyncio
import dataclasses
import json
import socket
import struct
import threading


@dataclasses.dataclass
class Seen:
    """A request as it came."""

    method: str
    path: str
    headers: dict
    at: str
    received: int = 0


class Names(asyncio.DatagramProtocol):
    """DNS that answers every question with the addresses that are named."""

    def __init__(self, named):
        self.named = named

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, question, peer):
        end = question.index(b"\0", 12) + 5
        named = self.named()
        head = question[:2] + struct.pack(">HHHHH", 0x8180, 1, len(named), 0, 0) + question[12:end]
        rows = [struct.pack(">HHHIH", 0xC00C, 1, 1, 1, 4) + socket.inet_aton(address) for address in named]
        self.transport.sendto(head + b"".join(rows), peer)


class Stub:
    """Replicas at some addresses of this machine, on one port, and their DNS: `port`, `resolver`, and what was `seen`."""

    def __init__(self, addresses):
        self.seen = []
        self.addresses = addresses
        self.named = list(addresses)
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.within(self.start())

    def within(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    async def start(self):
        self.servers = [await self.listen(self.addresses[0], 0)]
        self.port = self.servers[0].sockets[0].getsockname()[1]
        self.servers += [await self.listen(address, self.port) for address in self.addresses[1:]]
        self.dns, _ = await self.loop.create_datagram_endpoint(
            lambda: Names(lambda: self.named), local_addr=(self.addresses[0], 0)
        )
        self.resolver = "{}:{}".format(*self.dns.get_extra_info("sockname"))

    async def listen(self, address, port):
        async def serve(reader, writer):
            try:
                while await self.answer(address, reader, writer):
                    pass
            except (asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        return await asyncio.start_server(serve, address, port, backlog=512)

    async def answer(self, at, reader, writer):
        """Takes a request. Whether another may come on its connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        seen = Seen(method, path, headers, at)
        self.seen.append(seen)
        left = int(headers.get("content-length", 0))
        while seen.received < left:
            chunk = await reader.read(min(left - seen.received, 1 << 20))
            if not chunk:
                return False
            seen.received += len(chunk)
        if "slam" in path:
            return False
        if "upgrade" in headers:
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            writer.write(await reader.read(1024))
            await writer.drain()
            return False
        status = "503 Busy" if "busy" in path else "404 Missing" if "missing" in path else "200 OK"
        body = json.dumps({"at": at, "received": seen.received}).encode()
        writer.write(f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        if method != "HEAD":
            writer.write(body)
        await writer.drain()
        return True

    def close_one(self):
        """Stops listening at the last address, which DNS goes on naming."""

        async def close():
            self.servers.pop().close()

        self.within(close())

    def since(self, before):
        """What has come after so many requests: all of it, for an answer follows its request."""
        return self.seen[before:]

    def end(self):
        async def close():
            for server in self.servers:
                server.close()
            self.dns.close()
            serving = asyncio.all_tasks() - {asyncio.current_task()}
            for task in serving:
                task.cancel()
            await asyncio.gather(*serving, return_exceptions=True)

        self.within(close())
        self.loop.call_soon_threadsafe(self.loop.stop)
