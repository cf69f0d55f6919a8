import { describe, expect, it } from "vitest";
import { receiversOf } from "../notifications.ts";
import { parseAdministratorSettings } from "./file.ts";
import { SettingsError } from "./problem.ts";

const parse = (fields: object) =>
  parseAdministratorSettings(
    JSON.stringify({ notifications: [{ name: "a", url: "https://hooks.example/a", ...fields }] }),
  );

describe("a receiver of notifications", () => {
  it.each([
    [{ url: "ftp://a" }, "notifications[0].url: The URL of a receiver of notifications must be http"],
    [{ url: "https://user:hunter2@a" }, "notifications[0].url: The URL of a receiver of notifications"],
    [
      { url: "http://169.254.169.254/" },
      "notifications[0].url: The URL of a receiver of notifications must not",
    ],
    [{ url: undefined }, "notifications[0].url: give either url or urlFile"],
    [{ urlFile: "/u" }, "notifications[0].url: give either url or urlFile: one of them, and not both"],
    [{ urlFile: "u" }, "notifications[0].urlFile: must be an absolute path"],
    [{ format: "Teams" }, "notifications[0].format: must be CloudEvents or Slack"],
    [{ actions: ["Promoted"] }, "notifications[0].actions[0]: must be one of Start, Step, Gate, Promote"],
    [{ actions: [] }, "notifications[0].actions: must not be empty; leave it out for all actions"],
    [{ reasons: ["errors"] }, "notifications[0].reasons[0]: must be a reason of a decision, such as"],
    [{ secretFile: "k" }, "notifications[0].secretFile: must be an absolute path"],
    [{ format: "Slack", secretFile: "/k" }, "notifications[0].secretFile: has no effect in the format Slack"],
    [{ url: "http://a", tls: { caFile: "/ca" } }, "notifications[0].tls: has no effect on an http:// URL"],
    [{ timeout: "2m" }, "notifications[0].timeout: must be 1s to 60s"],
    [{ namespaces: ["A"] }, "notifications[0].namespaces[0]: must be the name of a namespace"],
    [{ secret: "hunter2" }, 'notifications[0]: Unrecognized key: "secret"'],
  ])("is refused with %j", (fields, message) => {
    expect(() => parse(fields)).toThrow(message);
    expect(() => parse(fields)).toThrow(SettingsError);
    expect(() => parse(fields)).not.toThrow("hunter2");
  });

  it("is refused where another has its name", () => {
    const one = { name: "a", url: "https://a" };
    expect(() => parseAdministratorSettings(JSON.stringify({ notifications: [one, one] }))).toThrow(
      'notifications[1].name: there is another receiver named "a"; names must differ',
    );
  });

  it("becomes what the notifier takes", () => {
    expect(receiversOf(parse({}))).toEqual([
      { name: "a", url: "https://hooks.example/a", format: "CloudEvents", timeoutMs: 10_000 },
    ]);
    const given = { actions: ["Promote"], reasons: ["Command"], secretFile: "/k", tls: { caFile: "/ca" } };
    expect(receiversOf(parse({ ...given, namespaces: ["ai"], timeout: "3s" }))).toMatchObject([
      { ...given, namespaces: ["ai"], timeoutMs: 3_000 },
    ]);
  });
});
