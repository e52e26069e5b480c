// socket.io-client, as it is, against a pod: signs in, is refused, joins, talks, hears each event once and in order.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { io } from "socket.io-client";

const base = process.argv[2];
const ways = { polling: { transports: ["polling"] }, websocket: { transports: ["websocket"] }, upgrade: {} };

async function api(path, token, body) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const reply = await fetch(`${base}/api/v1${path}`, { method: "POST", headers, body: body && JSON.stringify(body) });
  const answer = await reply.json();
  assert.ok(reply.ok, JSON.stringify(answer));
  return answer.data;
}

async function eventually(what, holds) {
  for (const start = Date.now(); !holds(); await new Promise((resolve) => setTimeout(resolve, 10))) {
    assert.ok(Date.now() - start < 5000, `not in time: ${what()}`);
  }
}

async function visit(way, options, token, party) {
  const stranger = io(base, { ...options, auth: { token: "bad" }, forceNew: true, reconnection: false });
  const error = await new Promise((resolve) => stranger.on("connect_error", resolve));
  assert.equal(error.data.code, "UNAUTHENTICATED");
  stranger.close();

  const client = io(base, { ...options, auth: { token }, forceNew: true });
  await new Promise((resolve, reject) => client.on("connect", resolve).on("connect_error", reject));
  assert.deepEqual(await client.emitWithAck("ping", { a: [1] }), { a: [1] });
  assert.deepEqual((await client.emitWithAck("ping", { b: Buffer.from([1, 2, 3]) })).b, Buffer.from([1, 2, 3]));
  assert.equal((await client.emitWithAck("no:such", {})).error.code, "NOT_FOUND");
  const joined = await client.emitWithAck("party:join_live", { partyId: party });
  await client.emitWithAck("chat:join", { partyId: party });
  const heard = [];
  client.on("chat:new_message", (message) => heard.push(message.seq));
  for (let number = 0; number < 5; number++) {
    assert.ok((await client.emitWithAck("chat:message", { partyId: party, content: `${way} ${number}` })).message);
  }
  await eventually(() => `five events, ${heard}`, () => heard.length >= 5);
  assert.deepEqual(heard, [1, 2, 3, 4, 5].map((number) => joined.seq + number));
  const carrier = way === "polling" ? "polling" : "websocket";
  await eventually(() => client.io.engine.transport.name, () => client.io.engine.transport.name === carrier);
  client.close();
  console.log(`socket.io-client: ${way}`);
}

const name = `j${randomBytes(4).toString("hex")}`;
const password = randomBytes(12).toString("hex");
const account = { email: `${name}@example.com`, username: name, password, firstName: "A", lastName: "B" };
const { accessToken } = await api("/auth/register", null, account);
const { party } = await api("/parties", accessToken, { title: "A party", startsAt: "2126-05-01T20:00:00Z" });
await api(`/parties/${party.id}/publish`, accessToken);
await api(`/parties/${party.id}/start`, accessToken);
for (const [way, options] of Object.entries(ways)) {
  await visit(way, options, accessToken, party.id);
}
process.exit();
