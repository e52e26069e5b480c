"""Two replicas as one service: what one is told the other shows, and a third comes and goes."""

import asyncio
import collections
import time
import uuid

from engine import ROOT, eventually, run
from load import Load
from party import API, Gallery, Party, Screen, picture
from staging import StagingCase

SCALED_WITHIN = 15
# nginx takes ten requests a second from one address without a token
ASKED = 9
PACE = 0.9


class Replicas(StagingCase):
    NAME = "replicas"

    def test_1_a_photo_given_to_one_is_on_a_screen_of_the_other(self):
        bases = [f"http://{self.staging.project.address(replica)}:3000" for replica in self.staging.replicas()]
        self.assertEqual(len(set(bases)), 2)
        for one, other in (bases, reversed(bases)):
            media, seen = asyncio.run(self.shown(one, other))
            self.assertEqual(seen["partyId"], media["partyId"])
            self.assertEqual((seen["media"]["id"], seen["media"]["status"]), (media["id"], "READY"))

    async def shown(self, one, other):
        """Follows a party at one replica, uploads at another; gives the photo, and what the screen was told of it."""
        async with Gallery(one) as there, Gallery(other) as here:
            party = await Party.begin(there, 2)
            screen = Watching(here, party, party.guests[0])
            following = asyncio.create_task(screen.follow())
            try:
                async with asyncio.timeout(60):
                    await screen.let_in.wait()
                    media = await there.upload(party.id, party.guests[1], picture())
                    seen = await screen.ready
            finally:
                following.cancel()
            self.assertEqual((screen.faults, screen.closes), ([], []))
            return media, seen

    def test_2_a_third_serves_within_15_s_and_goes_without_a_failed_request(self):
        self.assertEqual(len(self.pods()), 2)
        began = time.monotonic()
        self.scale(3)
        left = SCALED_WITHIN - (time.monotonic() - began)
        pods = eventually(left, "three serve", lambda: len(pods := self.pods()) == 3 and pods, every=PACE)
        took = time.monotonic() - began
        print(f"\nthree serve {took:.1f} s after they were asked for: {dict(pods)}", flush=True)
        self.assertLess(took, SCALED_WITHIN)

        with Load(self.staging.base) as load:
            time.sleep(3)
            began = time.monotonic()
            self.scale(2)
            took = time.monotonic() - began
            time.sleep(3)
            load.within(load.stop())
            load.within(load.settled())
            print(f"two again after {took:.1f} s, under load: {dict(load.tally)}", flush=True)
            self.assertEqual(load.failures, [])
            self.assertEqual(load.faults(), [])
            self.assertEqual(load.within(load.lost()), set())
            self.assertGreaterEqual(load.tally["reads"] + load.tally["messages"], 40 * took)
        self.assertEqual(len(self.staging.replicas()), 2)
        eventually(15, "two serve", lambda: len(self.pods()) == 2, every=PACE)

    def scale(self, count):
        """By the Makefile, but for the names of this staging's files."""
        project = self.staging.project
        compose = " ".join(["docker", "compose", *project.options])
        run("make", "scale", f"N={count}", f"STAGING={compose}", cwd=ROOT, env=project.env)

    def pods(self):
        """How many of a few requests through nginx each pod has answered, as their own logs tell."""
        mark = uuid.uuid4().hex[:12]
        names = {f"{mark}-{number}" for number in range(ASKED)}
        for name in names:
            self.assertEqual(self.staging.ask("GET", f"{API}/config", {"X-Request-Id": name}).status, 200)

        def told():
            lines = [line for line in self.staging.project.lines("api") if line.get("requestId") in names]
            return {line["requestId"] for line in lines} == names and lines

        return collections.Counter(line["pod"] for line in eventually(5, "each request is in a log", told, every=0.05))


class Watching(Screen):
    """A screen that says when it was let in, and what it was told of the first photo that is ready."""

    def __init__(self, *given):
        super().__init__(*given)
        self.let_in = asyncio.Event()
        self.ready = asyncio.get_running_loop().create_future()

    def take(self, frame):
        super().take(frame)
        if frame.get("ack") == 1:
            self.let_in.set()
        if frame.get("event") == "party:media_ready" and not self.ready.done():
            self.ready.set_result(frame["data"])
