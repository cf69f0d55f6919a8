import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { LRUCache } from "lru-cache";
import { HEADERS } from "../../contract/endpoints.ts";

/** Credentials whose names are remembered. */
const REMEMBERED = 1000;

/** Names the tenant of a request: the header says it, otherwise the credential stands for it by its hash; never the credential itself. */
export interface TenantNames {
  of(headers: IncomingHttpHeaders): string;
}

export function createTenantNames(): TenantNames {
  const names = new LRUCache<string, string>({ max: REMEMBERED });
  return {
    of(headers) {
      const named = headers[HEADERS.tenant];
      // The prefixes keep a header from naming the hash of someone else's credential.
      if (typeof named === "string" && named !== "") return `name:${named}`;
      const credential = headers.authorization;
      if (credential === undefined) return "none";
      let name = names.get(credential);
      if (name === undefined) {
        name = `key:${createHash("sha256").update(credential).digest("hex").slice(0, 32)}`;
        names.set(credential, name);
      }
      return name;
    },
  };
}
