/** Parts of undici that undici.ts puts together; the package declares types only for its index. */
declare module "undici/lib/dispatcher/agent.js" {
  export { Agent as default } from "undici";
}
declare module "undici/lib/dispatcher/pool.js" {
  export { Pool as default } from "undici";
}
declare module "undici/lib/dispatcher/proxy-agent.js" {
  export { ProxyAgent as default } from "undici";
}
declare module "undici/lib/dispatcher/dispatcher.js" {
  export { Dispatcher as default } from "undici";
}
declare module "undici/lib/api/index.js" {
  const methods: Pick<import("undici").Dispatcher, "request" | "stream" | "pipeline" | "connect" | "upgrade">;
  export default methods;
}
