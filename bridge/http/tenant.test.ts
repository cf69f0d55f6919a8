import { describe, expect, it } from "vitest";
import { createTenantNames } from "./tenant.ts";

describe("the tenant of a request", () => {
  const tenants = createTenantNames();

  it("is what the header says, else the hash of the credential, else none", () => {
    expect(tenants.of({ "x-llmbridge-tenant": "a", authorization: "Bearer k" })).toBe("name:a");
    expect(tenants.of({ authorization: "Bearer k" })).toMatch(/^key:[0-9a-f]{32}$/);
    expect(tenants.of({ authorization: "Bearer k" })).toBe(tenants.of({ authorization: "Bearer k" }));
    expect(tenants.of({ authorization: "Bearer l" })).not.toBe(tenants.of({ authorization: "Bearer k" }));
    expect(tenants.of({})).toBe("none");
  });

  it("cannot be named after another's credential, and never holds one", () => {
    const hashed = tenants.of({ authorization: "Bearer k" });
    expect(tenants.of({ "x-llmbridge-tenant": hashed })).not.toBe(hashed);
    expect(hashed).not.toContain("Bearer");
  });
});
