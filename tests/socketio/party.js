// A LIVE party with its host, the pods that it is on, and waiting with a deadline.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { once } from "node:events";

const DEADLINE_MS = 30_000;
const [directory, first, second, byAddress, byCookie, page] = process.argv.slice(2);

export const fronts = { address: `http://${byAddress}`, cookie: `http://${byCookie}` };

// Where a page may be that opens sockets.
export const origin = `http://${page}`;

export const pods = [first, second].map((address) => ({
  url: `http://${address}`,
  address,
  signal(name) {
    process.kill(Number(readFileSync(`${directory}/pod-${address.split(":")[1]}`, "utf8")), name);
  },
}));

export async function api(pod, path, token, body) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const reply = await fetch(`${pod.url}/api/v1${path}`, { method: "POST", headers, body: body && JSON.stringify(body) });
  const answer = await reply.json();
  assert.ok(reply.ok, `${path}: ${JSON.stringify(answer)}`);
  return answer.data;
}

export async function eventually(what, holds) {
  for (const start = Date.now(); !(await holds()); await new Promise((resolve) => setTimeout(resolve, 10))) {
    assert.ok(Date.now() - start < DEADLINE_MS, `not in time: ${what()}`);
  }
}

// Whether the pod is there again, after it was sent a signal.
export async function isReady(pod) {
  return (await fetch(`${pod.url}/health/ready`).catch(() => ({ ok: false }))).ok;
}

export async function somebody(pod) {
  const name = `j${randomBytes(4).toString("hex")}`;
  const password = randomBytes(12).toString("hex");
  const account = { email: `${name}@example.com`, username: name, password, firstName: "A", lastName: "B" };
  return (await api(pod, "/auth/register", null, account)).accessToken;
}

export async function liveParty(pod, token) {
  const { party } = await api(pod, "/parties", token, { title: "A party", startsAt: "2126-05-01T20:00:00Z" });
  await api(pod, `/parties/${party.id}/publish`, token);
  await api(pod, `/parties/${party.id}/start`, token);
  return party.id;
}

export const say = (pod, token, party, content) => api(pod, `/parties/${party}/chat/messages`, token, { content });

export async function sayMany(pod, token, party, count) {
  let next = 0;
  const one = async () => {
    while (next < count) await say(pod, token, party, `${next++}`);
  };
  await Promise.all(Array.from({ length: 10 }, one));
}

// The arguments of the client's next such event.
export const within = (client, event) => once(client, event, { signal: AbortSignal.timeout(DEADLINE_MS) });

export async function connected(client) {
  if (!client.connected) {
    const refused = within(client, "connect_error").then(([error]) => Promise.reject(error));
    await Promise.race([within(client, "connect"), refused]);
    refused.catch(() => {});
  }
  return client;
}

export const numbers = (first, count) => Array.from({ length: count }, (_, nth) => first + nth);
