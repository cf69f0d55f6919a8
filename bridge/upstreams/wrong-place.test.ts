import { describe, expect, it } from "vitest";
import { redirected } from "./wrong-place.ts";

describe("redirected", () => {
  it.each([
    [
      "https://new.example/v1/chat/completions",
      "https://new.example/v1/chat/completions",
      "write https://new.example/v1 as",
    ],
    [
      "/v2/chat/completions/",
      "http://old.example:8000/v2/chat/completions/",
      "write http://old.example:8000/v2 as",
    ],
    [
      "https://new.example/chat/completions",
      "https://new.example/chat/completions",
      "write https://new.example as",
    ],
    [
      "https://user:pw@sso.example/login?next=secret#x",
      "https://sso.example/login",
      "correct the upstream's url",
    ],
    ["http://[", "nowhere that can be read", "correct the upstream's url"],
    [undefined, "nowhere that can be read", "correct the upstream's url"],
  ])("to %j names %s, and what to write", (location, place, remedy) => {
    const { message, domain, status } = redirected(
      "up",
      "http://old.example:8000/v1",
      "/v1/chat/completions",
      301,
      location,
    );
    expect({ domain, status }).toEqual({ domain: "bridge", status: 502 });
    expect(message).toContain(`Upstream up redirects (301) to ${place}, `);
    expect(message).toContain(remedy);
    expect(message).not.toMatch(/pw|secret/);
  });
});
