// socket.io-client, as it is, against a pod: signs in, is refused, joins, talks, hears each event once and in order, also in
// a burst, and comes back by itself when the pod goes away.

import assert from "node:assert/strict";
import { io } from "socket.io-client";
import { connected, eventually, isReady, liveParty, numbers, pods, say, sayMany, somebody, within } from "./party.js";

const ways = { polling: { transports: ["polling"] }, websocket: { transports: ["websocket"] }, upgrade: {} };
const [pod, other] = pods;

async function talk(way, options, token, party) {
  const stranger = io(pod.url, { ...options, auth: { token: "bad" }, forceNew: true, reconnection: false });
  const [error] = await within(stranger, "connect_error");
  assert.equal(error.data.code, "UNAUTHENTICATED");
  stranger.close();

  const client = io(pod.url, { ...options, auth: { token }, forceNew: true });
  await connected(client);
  assert.deepEqual(await client.emitWithAck("ping", { a: [1] }), { a: [1] });
  assert.deepEqual((await client.emitWithAck("ping", { b: Buffer.from([1, 2, 3]) })).b, Buffer.from([1, 2, 3]));
  assert.equal((await client.emitWithAck("no:such", {})).error.code, "NOT_FOUND");
  assert.equal((await client.emitWithAck("party:join_live", { partyId: 7 })).error.code, "VALIDATION_ERROR");
  const joined = await client.emitWithAck("party:join_live", { partyId: party });
  assert.ok((await client.emitWithAck("chat:join", { partyId: party })).messages);
  const heard = [];
  client.on("chat:new_message", (message) => heard.push(message.seq));
  for (let number = 0; number < 5; number++) {
    assert.ok((await client.emitWithAck("chat:message", { partyId: party, content: `${way} ${number}` })).message);
  }
  await eventually(() => `five events, ${heard}`, () => heard.length >= 5);
  assert.deepEqual(heard.splice(0), numbers(joined.seq + 1, 5));
  const carrier = way === "polling" ? "polling" : "websocket";
  await eventually(() => client.io.engine.transport.name, () => client.io.engine.transport.name === carrier);
  console.log(`${way}: talks`);
  return { client, heard, joined };
}

async function hear({ client, heard, joined }, way, token, party) {
  await sayMany(other, token, party, 500);
  await eventually(() => `500 events, ${heard.length}`, () => heard.length >= 500);
  assert.deepEqual(heard.splice(0), numbers(joined.seq + 6, 500));
  assert.equal(client.connected, true);
  console.log(`${way}: hears 500 in a burst`);
}

// Without recovery a client knows what it has heard, and asks for what comes after.
async function comeBack({ client, heard, joined }, way, token, party) {
  let last = joined.seq + 505;
  const told = within(client, "server:draining");
  const back = within(client, "connect");
  const gone = within(client, "disconnect");
  pod.signal("SIGTERM");
  assert.ok((await told)[0].reconnectAfterMs >= 0);
  await gone;
  await say(other, token, party, `${way} meanwhile`);
  await back;
  const again = await client.emitWithAck("party:join_live", { partyId: party, since: last, epoch: joined.epoch });
  assert.equal(again.replayed, 1);
  await eventually(() => `what was missed, ${heard}`, () => heard.length >= 1);
  assert.deepEqual(heard, [last + 1]);
  client.close();
  await eventually(() => "the pod is there again", () => isReady(pod));
  console.log(`${way}: comes back after a drain`);
}

const token = await somebody(pod);
const party = await liveParty(pod, token);
for (const [way, options] of Object.entries(ways)) {
  const session = await talk(way, options, token, party);
  await hear(session, way, token, party);
  await comeBack(session, way, token, party);
}
process.exit();
