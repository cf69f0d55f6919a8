/**
 * undici's agents without the rest of the package. Its index also loads fetch, WebSocket, caches and mocks, which this process never uses
 * and which would cost it 12 MiB for as long as it runs. The bundle has `undici` itself point here, because client-node imports it too.
 */
import methods from "undici/lib/api/index.js";
import Agent from "undici/lib/dispatcher/agent.js";
import Dispatcher from "undici/lib/dispatcher/dispatcher.js";
import Pool from "undici/lib/dispatcher/pool.js";
import ProxyAgent from "undici/lib/dispatcher/proxy-agent.js";

// As undici's index does; without it a dispatcher has no request().
Object.assign(Dispatcher.prototype, methods);

/**
 * Named by client-node's API classes, none of which is used: Node's own will do.
 * @public
 */
export const fetch: typeof globalThis.fetch = globalThis.fetch;

export { Agent, Dispatcher, Pool, ProxyAgent };
