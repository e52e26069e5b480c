// A page of another origin, in Chromium, with socket.io-client's own bundle: it signs in, is refused, joins, talks, hears a burst
// and is recovered.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";
import { eventually, isReady, liveParty, numbers, origin, pods, sayMany, somebody } from "./party.js";

const [pod, other] = pods;
const bundle = readFileSync(new URL("node_modules/socket.io-client/dist/socket.io.min.js", import.meta.url), "utf8");

// The page: a script, and nothing else.
async function serve() {
  const server = createServer((request, reply) => {
    const is = request.url === "/client.js" ? ["text/javascript", bundle] : ["text/html", '<script src="/client.js"></script>'];
    reply.writeHead(200, { "content-type": is[0] }).end(is[1]);
  });
  server.listen(Number(new URL(origin).port), "127.0.0.1");
  await once(server, "listening");
}

// A browser with one page, which is asked by the DevTools protocol.
async function browser(url) {
  const home = mkdtempSync(`${tmpdir()}/socketio-page-`);
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
  const chromium = spawn("chromium", [...flags, `--user-data-dir=${home}`, "--remote-debugging-port=0", "about:blank"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  process.on("exit", () => chromium.kill("SIGKILL"));
  let devtools;
  for await (const line of createInterface({ input: chromium.stderr })) {
    devtools = line.match(/DevTools listening on (ws:\S+)/)?.[1];
    if (devtools) break;
  }
  assert.ok(devtools, "Chromium does not start");
  const socket = new WebSocket(devtools);
  await once(socket, "open");
  const waiting = new Map();
  let asked = 0;
  socket.on("message", (text) => {
    const { id, result, error } = JSON.parse(text);
    if (waiting.has(id)) waiting.get(id)(error ? Promise.reject(new Error(error.message)) : result);
  });
  const ask = (method, params, sessionId) => {
    const id = ++asked;
    socket.send(JSON.stringify({ id, method, params, sessionId }));
    return new Promise((resolve) => waiting.set(id, resolve));
  };
  const { targetId } = await ask("Target.createTarget", { url });
  const { sessionId } = await ask("Target.attachToTarget", { targetId, flatten: true });
  return {
    // What the expression gives in the page, once it gives it.
    async evaluate(expression) {
      const params = { expression, awaitPromise: true, returnByValue: true };
      const { result, exceptionDetails } = await ask("Runtime.evaluate", params, sessionId);
      assert.ok(!exceptionDetails, exceptionDetails?.exception?.description);
      return result.value;
    },
    async close() {
      const ended = once(chromium, "exit");
      await ask("Browser.close", {});
      await ended;
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

// What the page does. It is run there, not here.
async function visit(url, options, token, party) {
  const next = (socket, event) => new Promise((resolve) => socket.once(event, resolve));
  const stranger = io(url, { ...options, auth: { token: "bad" }, forceNew: true, reconnection: false });
  const refused = (await next(stranger, "connect_error")).data.code;
  const socket = io(url, { ...options, auth: { token, recover: true }, forceNew: true });
  await next(socket, "connect");
  window.visit = { socket, heard: [], recovered: [] };
  socket.on("chat:new_message", (message) => window.visit.heard.push(message.seq));
  socket.on("connect", () => window.visit.recovered.push(socket.recovered));
  const joined = await socket.emitWithAck("party:join_live", { partyId: party });
  const unknown = (await socket.emitWithAck("no:such", {})).error.code;
  for (let n = 0; n < 5; n++) await socket.emitWithAck("chat:message", { partyId: party, content: `${n}` });
  return { refused, unknown, seq: joined.seq };
}

const ways = { polling: { transports: ["polling"] }, websocket: { transports: ["websocket"] }, upgrade: {} };
const token = await somebody(pod);
const party = await liveParty(pod, token);
await serve();
const page = await browser(origin);
await eventually(() => "the page is there", () => page.evaluate(`location.origin === "${origin}" && typeof io === "function"`));
for (const [way, options] of Object.entries(ways)) {
  const told = await page.evaluate(`(${visit})("${pod.url}", ${JSON.stringify(options)}, "${token}", "${party}")`);
  assert.deepEqual([told.refused, told.unknown], ["UNAUTHENTICATED", "NOT_FOUND"]);
  await sayMany(other, token, party, 500);
  const heard = () => page.evaluate("visit.heard");
  await eventually(() => `${way}: 505 events`, async () => (await heard()).length >= 505);
  console.log(`${way}: hears a burst in Chromium`);
  pod.signal("SIGTERM");
  await eventually(() => "the pod goes", async () => !(await isReady(pod)));
  await sayMany(other, token, party, 20);
  await eventually(() => `${way}: 525 events`, async () => (await heard()).length >= 525);
  assert.deepEqual(await heard(), numbers(told.seq + 1, 525));
  const recovered = await page.evaluate("visit.recovered");
  assert.ok(recovered.length > 0 && recovered.every((is) => is), `${recovered}`);
  await page.evaluate("void visit.socket.close()");
  await eventually(() => "the pod is there again", () => isReady(pod));
  console.log(`${way}: is recovered after a drain in Chromium`);
}
await page.close();
process.exit();
