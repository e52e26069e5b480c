"""A party at a gallery: its host, its guests, what they say and show, and the screens that follow it."""

import asyncio
import datetime
import json
import os
import struct
import uuid
import zlib

import aiohttp

import client

API = "/api/v1"


def picture(width=320, height=240):
    """A PNG that nobody has seen before, of about three bytes for each pixel."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + os.urandom(width * 3) for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


class Refused(Exception):
    """An answer that is no success."""


class Gallery:
    """A way into the service: `base` is its address, whose certificate is not asked for."""

    def __init__(self, base):
        self.base = base
        timeout = aiohttp.ClientTimeout(total=60, connect=10)
        connector = aiohttp.TCPConnector(limit=0, ssl=client.context() if base.startswith("https") else False)
        self.session = aiohttp.ClientSession(base, connector=connector, timeout=timeout)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.session.close()

    async def call(self, method, path, token=None, **options):
        """Asks once and gives the body, or raises Refused."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.session.request(method, API + path, headers=headers, **options) as answer:
            body = await answer.read()
            if answer.status >= 400:
                raise Refused(f"{method} {path}: {answer.status} {body[:300]!r}")
            return json.loads(body) if body else None

    async def patient(self, method, path, token=None, **options):
        """The same, again after a while where too much was asked."""
        for _ in range(60):
            try:
                return await self.call(method, path, token, **options)
            except Refused as refused:
                if ": 429 " not in str(refused):
                    raise
                await asyncio.sleep(0.5)
        raise AssertionError(f"{method} {path} was never let in")

    async def upload(self, party, token, data):
        """Uploads a picture, given whole or as it comes, and gives the media."""
        form = aiohttp.FormData()
        form.add_field("file", data, filename="photo.png", content_type="image/png")
        return (await self.call("POST", f"/parties/{party}/media", token, data=form))["data"]["media"]

    async def all_of(self, path, token):
        """Every item of a list, page after page."""
        items, cursor = [], None
        while True:
            page = await self.patient("GET", path, token, params={"limit": 100} | ({"cursor": cursor} if cursor else {}))
            items += page["data"]
            if not page["meta"]["hasMore"]:
                return items
            cursor = page["meta"]["nextCursor"]


class Party:
    """A party that is live, and the tokens of its guests."""

    def __init__(self, number, host, guests):
        self.id = number
        self.host = host
        self.guests = guests

    @classmethod
    async def begin(cls, gallery, guests):
        """Makes a host, a private party and so many guests."""
        name = f"host_{uuid.uuid4().hex[:20]}"
        account = {"email": f"{name}@example.com", "password": uuid.uuid4().hex, "username": name}
        account |= {"firstName": "Ada", "lastName": "Host"}
        host = (await gallery.patient("POST", "/auth/register", json=account))["data"]["accessToken"]
        now = datetime.datetime.now(datetime.UTC).isoformat()
        wish = {"title": "A party in containers", "startsAt": now, "isPrivate": True}
        party = (await gallery.patient("POST", "/parties", host, json=wish))["data"]["party"]
        await gallery.patient("POST", f"/parties/{party['id']}/start", host)
        code = {"accessCode": party["accessCode"]}
        tokens = []
        for guest in range(guests):
            joined = await gallery.patient("POST", "/parties/join-by-code", json=code | {"displayName": f"Guest {guest}"})
            tokens.append(joined["data"]["accessToken"])
        return cls(party["id"], host, tokens)

    async def seq(self, gallery):
        """The number of the last event."""
        return (await gallery.patient("GET", f"/parties/{self.id}", self.host))["data"]["party"]["seq"]


class Screen:
    """A socket that follows a party from its first event on, and comes back with what it has when it is closed."""

    def __init__(self, gallery, party, token):
        self.gallery, self.party, self.token = gallery, party, token
        self.seq, self.epoch = 0, None
        self.closes, self.faults, self.kinds = [], [], {}

    async def follow(self):
        """Until it is cancelled."""
        while True:
            try:
                await self.visit()
            except (aiohttp.ClientError, asyncio.TimeoutError, ConnectionError) as error:
                self.closes.append(repr(error)[:80])
            await asyncio.sleep(0.2)

    async def visit(self):
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.gallery.session.ws_connect("/ws", headers=headers, max_msg_size=0) as socket:
            resume = {"partyId": self.party.id, "since": self.seq} | ({"epoch": self.epoch} if self.epoch else {})
            await socket.send_json({"id": 1, "event": "party:join_live", "data": resume})
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self.take(json.loads(message.data))
            self.closes.append(socket.close_code)

    def take(self, frame):
        if frame.get("ack") == 1:
            if "error" in frame:
                self.faults.append(f"not let in again: {frame['error']}")
            else:
                self.epoch = frame["data"]["epoch"]
        if frame.get("event") == "server:draining":
            self.kinds["drained"] = self.kinds.get("drained", 0) + 1
        if frame.get("seq") is None:
            return
        if frame["seq"] != self.seq + 1:
            self.faults.append(f"{frame['seq']} after {self.seq}")
        self.seq = frame["seq"]
        self.kinds[frame["event"]] = self.kinds.get(frame["event"], 0) + 1
