import { describe, expect, it } from "vitest";
import { parseAdministratorSettings } from "./file.ts";
import { SettingsError } from "./problem.ts";

const parse = (fields: object) =>
  parseAdministratorSettings(
    JSON.stringify({ gateWebhooks: [{ name: "evals", url: "https://evals.example/gate", ...fields }] }),
  );

describe("a webhook of gates", () => {
  it.each([
    [{ url: "http://evals.example" }, "gateWebhooks[0].url: The URL of a gate's webhook must be https://"],
    [{ url: "https://user:hunter2@a" }, "gateWebhooks[0].url: The URL of a gate's webhook must be http"],
    [
      { url: "https://169.254.169.254/" },
      "gateWebhooks[0].url: The URL of a gate's webhook must not point to",
    ],
    [{ url: undefined }, "gateWebhooks[0].url: give either url or urlFile"],
    [{ urlFile: "/u" }, "gateWebhooks[0].url: give either url or urlFile: one of them, and not both"],
    [{ url: undefined, urlFile: "u" }, "gateWebhooks[0].urlFile: must be an absolute path"],
    [{ secretFile: "k" }, "gateWebhooks[0].secretFile: must be an absolute path"],
    [
      { url: "http://a.b.svc", tls: { caFile: "/ca" } },
      "gateWebhooks[0].tls: has no effect on an http:// URL",
    ],
    [{ allowedNamespaces: ["A"] }, "gateWebhooks[0].allowedNamespaces[0]: must be the name of a namespace"],
    [{ secret: "hunter2" }, 'gateWebhooks[0]: Unrecognized key: "secret"'],
  ])("is refused with %j", (fields, message) => {
    expect(() => parse(fields)).toThrow(message);
    expect(() => parse(fields)).toThrow(SettingsError);
    expect(() => parse(fields)).not.toThrow("hunter2");
  });

  it("is refused where another has its name", () => {
    const one = { name: "a", url: "https://a" };
    expect(() => parseAdministratorSettings(JSON.stringify({ gateWebhooks: [one, one] }))).toThrow(
      'gateWebhooks[1].name: there is another receiver of gates named "a"; names must differ',
    );
  });

  it("is open to every namespace, and Jobs to none, unless it is said", () => {
    expect(parse({}).gateWebhooks[0]?.allowedNamespaces).toEqual(["*"]);
    expect(parse({}).gateJobs).toBeUndefined();
    expect(parseAdministratorSettings("gateJobs: {}").gateJobs).toEqual({ allowedNamespaces: ["*"] });
  });
});
