// socket.io-client behind nginx while both pods are replaced, one after the other, and somebody goes on talking: whoever asked
// for recovery hears all of it, once and in order, and is told each time that they were recovered.

import assert from "node:assert/strict";
import { io } from "socket.io-client";
import { connected, eventually, fronts, isReady, liveParty, numbers, pods, say, somebody } from "./party.js";

// A browser keeps cookies by itself, Node.js when it is asked to
const ways = {
  polling: { transports: ["polling"], withCredentials: true },
  websocket: { transports: ["websocket"] },
  upgrade: { withCredentials: true },
};

async function follow(url, options, token, party) {
  const client = io(url, { ...options, auth: { token, recover: true }, forceNew: true });
  await connected(client);
  const session = { client, heard: [], returns: [] };
  client.on("chat:new_message", (message) => session.heard.push(message.seq));
  const { seq } = await client.emitWithAck("party:join_live", { partyId: party });
  client.on("connect", () => session.returns.push(client.recovered));
  return { ...session, seq };
}

// Says something ten times a second, on whichever pod is there, until it is told to stop. Gives how many times.
function talker(token, party) {
  let said = 0;
  let isOver = false;
  const talking = (async () => {
    for (; !isOver; said++) {
      for (let turn = 0; !(await say(pods[turn % 2], token, party, `${said}`).catch(() => null)); turn++);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return async () => {
    isOver = true;
    await talking;
    return said;
  };
}

const token = await somebody(pods[0]);
for (const [name, url] of Object.entries(fronts)) {
  const party = await liveParty(pods[0], token);
  const sessions = {};
  for (const [way, options] of Object.entries(ways)) sessions[way] = await follow(url, options, token, party);
  const stop = talker(token, party);
  for (const pod of pods) {
    pod.signal("SIGTERM");
    await eventually(() => "the pod goes", async () => !(await isReady(pod)));
    await eventually(() => "the pod is there again", () => isReady(pod));
  }
  const said = await stop();
  for (const [way, { client, heard, returns, seq }] of Object.entries(sessions)) {
    await eventually(() => `${way}: all is heard, ${heard.length} of ${said}`, () => heard.length >= said);
    assert.deepEqual(heard, numbers(seq + 1, said), way);
    assert.ok(returns.length > 0 && returns.every((recovered) => recovered), `${way}: ${returns}`);
    client.close();
    console.log(`${way}: is rolled over behind nginx by ${name}`);
  }
}
process.exit();
