"""Fifty requests a second from many callers, twenty uploads at a time and a hundred sockets, and what became of each."""

import asyncio
import collections
import itertools
import threading
import time

import aiohttp

from party import Gallery, Party, Refused, Screen, picture

GUESTS = 40
SOCKETS = 100
UPLOADS = 20
REQUESTS_PER_SECOND = 50
# How long one upload takes, in seconds: as long as a phone's
UPLOAD_TAKES = 6
CHUNKS = 24


class Load:
    """For `with`: a party under load, on a thread of its own."""

    def __init__(self, base):
        self.base = base
        self.failures = []
        self.tally = collections.Counter()
        self.messages, self.media = [], []
        self.stopping = False
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def within(self, work, seconds=120):
        """Runs something beside the load and gives its result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    def __enter__(self):
        self.thread.start()
        self.within(self.start())
        return self

    def __exit__(self, *_):
        self.within(self.end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    async def start(self):
        self.gallery = Gallery(self.base)
        self.party = await Party.begin(self.gallery, GUESTS)
        guests = itertools.cycle(self.party.guests)
        self.screens = [Screen(self.gallery, self.party, next(guests)) for _ in range(SOCKETS)]
        self.following = [asyncio.create_task(screen.follow()) for screen in self.screens]
        self.began = time.monotonic()
        self.working = [asyncio.create_task(self.ask())]
        self.working += [asyncio.create_task(self.upload(token)) for token in self.party.guests[:UPLOADS]]

    async def ask(self):
        """Starts a request every 20 ms, whatever became of the one before."""
        party, asked = self.party.id, set()
        kinds = itertools.cycle(["", "/media", "/attendees", "/chat/messages", "say"])
        for number, token in enumerate(itertools.cycle(self.party.guests)):
            await asyncio.sleep(max(0, self.began + number / REQUESTS_PER_SECOND - time.monotonic()))
            if self.stopping:
                break
            kind = next(kinds)
            # Each of the five is asked by everybody in turn
            token = self.party.guests[(number + number // len(self.party.guests)) % len(self.party.guests)]
            task = asyncio.create_task(self.say(token) if kind == "say" else self.read(f"/parties/{party}{kind}", token))
            asked.add(task)
            task.add_done_callback(asked.discard)
        await asyncio.gather(*asked)

    async def read(self, path, token):
        with self.noted("reads"):
            await self.gallery.call("GET", path, token)

    async def say(self, token):
        with self.noted("messages"):
            said = await self.gallery.call("POST", f"/parties/{self.party.id}/chat/messages", token, json={"content": "hi"})
            self.messages.append(said["data"]["message"]["id"])

    async def upload(self, token):
        """One picture after the other, each slowly."""
        while not self.stopping:
            with self.noted("uploads"):
                media = await self.gallery.upload(self.party.id, token, slowly(picture()))
                self.media.append(media["id"])
            await asyncio.sleep(0.1)

    def noted(self, kind):
        return Noted(self, kind)

    async def stop(self):
        """Lets what was begun end, and waits for it."""
        self.stopping = True
        await asyncio.gather(*self.working)

    async def settled(self, within=60):
        """Waits until every screen has seen everything, and everything that was shown can be seen."""
        deadline = time.monotonic() + within
        while True:
            seq = await self.party.seq(self.gallery)
            ready = await self.gallery.all_of(f"/parties/{self.party.id}/media", self.party.host)
            missing = set(self.media) - {media["id"] for media in ready}
            behind = [screen.seq for screen in self.screens if screen.seq != seq]
            if not missing and not behind:
                return seq
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(missing)} photos are not there; screens stand at {behind[:5]}, the party at {seq}")
            await asyncio.sleep(0.5)

    async def lost(self):
        """What was acknowledged and is not there."""
        said = await self.gallery.all_of(f"/parties/{self.party.id}/chat/messages", self.party.host)
        shown = await self.gallery.all_of(f"/parties/{self.party.id}/media", self.party.host)
        return (set(self.messages) | set(self.media)) - {item["id"] for item in said + shown}

    async def end(self):
        self.stopping = True
        tasks = self.working + self.following
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.gallery.session.close()

    def faults(self):
        """Every gap, repetition and refusal that a screen has met."""
        return [fault for screen in self.screens for fault in screen.faults]


class Noted:
    """For `with`: counts an undertaking, and notes how it failed."""

    def __init__(self, load, kind):
        self.load, self.kind = load, kind

    def __enter__(self):
        self.at = time.monotonic()

    def __exit__(self, _kind, error, _trace):
        if error is None:
            self.load.tally[self.kind] += 1
            return False
        if isinstance(error, (Refused, aiohttp.ClientError, asyncio.TimeoutError, OSError)):
            after = self.at - self.load.began
            self.load.tally[f"failed {self.kind}"] += 1
            self.load.failures.append(f"{after:.1f} s, {time.monotonic() - self.at:.2f} s long, {self.kind}: {error!r}")
            return True
        return False


async def slowly(data):
    """The bytes, in pieces with pauses between them."""
    size = len(data) // CHUNKS + 1
    for start in range(0, len(data), size):
        yield data[start : start + size]
        await asyncio.sleep(UPLOAD_TAKES / CHUNKS)
