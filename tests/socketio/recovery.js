// socket.io-client, as it is, with `recover: true`: cut off, it finds itself in its rooms again and hears what it missed.

import assert from "node:assert/strict";
import { io } from "socket.io-client";
import { line } from "./line.js";
import { connected, eventually, isReady, liveParty, numbers, pods, say, sayMany, somebody, within } from "./party.js";

const ways = { polling: { transports: ["polling"] }, websocket: { transports: ["websocket"] }, upgrade: {} };
const [pod, other] = pods;

async function follow(options, token, party) {
  const way = await line(pod);
  const client = io(way.url, { ...options, auth: { token, recover: true }, forceNew: true });
  await connected(client);
  assert.ok(!client.recovered, "there was nothing to be recovered");
  const heard = [];
  client.on("chat:new_message", (message, offset) => {
    assert.equal(typeof offset, "string");
    heard.push(message.seq);
  });
  const { seq } = await client.emitWithAck("party:join_live", { partyId: party });
  await client.emitWithAck("chat:join", { partyId: party });
  return { client, heard, seq, line: way };
}

// What is said while it is away is there when it is back, once and in order, and so is what is said then.
async function comeBack({ client, heard, seq, line }, { before, leave }, token, party) {
  if (before > 0) {
    await sayMany(other, token, party, before);
    await eventually(() => `what was said before, ${heard}`, () => heard.length >= before);
  }
  const back = within(client, "connect");
  leave(line);
  // Between two requests there is nothing to be cut
  const isGone = () => (line.cut(), !client.connected);
  await eventually(() => "it is cut off", isGone);
  await sayMany(other, token, party, 20);
  await back;
  assert.equal(client.recovered, true);
  await say(other, token, party, "and now");
  await eventually(() => `what was missed, ${heard}`, () => heard.length >= before + 21);
  assert.deepEqual(heard, numbers(seq + 1, before + 21));
  client.close();
}

const trials = {
  "a cut": { before: 3, leave: () => {} },
  "a pod's death": { before: 3, leave: () => pod.signal("SIGKILL") },
  "a way to another pod": { before: 3, leave: (line) => line.leadTo(other) },
  "a cut before the first event": { before: 0, leave: () => {} },
};

const token = await somebody(pod);
const party = await liveParty(pod, token);
for (const [way, options] of Object.entries(ways)) {
  for (const [name, trial] of Object.entries(trials)) {
    await eventually(() => "the pod is there", () => isReady(pod));
    await comeBack(await follow(options, token, party), trial, token, party);
    console.log(`${way}: recovers after ${name}`);
  }
}
process.exit();
