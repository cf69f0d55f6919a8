import { createServer } from "node:net";
import { expect, it } from "vitest";
import { freePort } from "./free-port.ts";

it("gives a port that can be listened on, and that no outgoing connection is given", async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, () => freePort()));
  for (const port of ports) {
    expect(port).toBeLessThan(32_768);
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
    await new Promise((resolve) => server.close(resolve));
  }
});

it("says of an address that nobody can listen on that it has no port", async () => {
  await expect(freePort("192.0.2.1")).rejects.toThrow("192.0.2.1: none of 100 ports");
});
