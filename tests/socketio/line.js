// The line between a client and a pod: it can be cut, and lead to another pod from then on.

import { once } from "node:events";
import { connect, createServer } from "node:net";

export async function line(pod) {
  const open = new Set();
  let leadsTo = pod;
  const server = createServer((near) => {
    const [host, port] = leadsTo.address.split(":");
    const far = connect(Number(port), host);
    for (const [one, other] of [[near, far], [far, near]]) {
      open.add(one);
      one.on("error", () => {}).on("close", () => (open.delete(one), other.destroy())).pipe(other);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    cut: () => open.forEach((socket) => socket.destroy()),
    leadTo: (other) => (leadsTo = other),
  };
}
