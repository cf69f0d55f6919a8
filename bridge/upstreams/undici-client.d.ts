/** undici's client without the rest of the package (fetch, WebSocket, caches, mocks), which would add 12 MiB to every pod. */
declare module "undici/lib/dispatcher/client.js" {
  export { Client as default } from "undici";
}
