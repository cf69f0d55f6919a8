import { describe, expect, it } from "vitest";
import { gateUrl } from "./url.ts";

describe("gateUrl", () => {
  it.each([
    "https://evals.example/gate?team=ai",
    "https://10.1.2.3/",
    "http://evals.ml.svc:8080/gate",
    "http://evals.ml.svc.cluster.local",
    "http://127.0.0.1:8080",
    "http://localhost:8080",
  ])("takes %s", (url) => {
    expect(gateUrl(url).href.startsWith("http")).toBe(true);
  });

  it.each([
    ["http://evals.example/gate", "must be https://"],
    ["http://10.1.2.3/", "must be https://"],
    ["http://evals.svc.example", "must be https://"],
    ["ftp://evals.example", "must be http:// or https://"],
    ["https://user:hunter2@evals.example", "without credentials"],
    ["https://169.254.169.254/latest", "must not point to"],
    ["https://[fd00:ec2::254]/", "must not point to"],
    ["https://[::ffff:169.254.169.254]/", "must not point to"],
    ["nonsense", "must be http:// or https://"],
  ])("refuses %s", (url, message) => {
    expect(() => gateUrl(url)).toThrow(message);
    expect(() => gateUrl(url)).not.toThrow("hunter2");
  });
});
