import { describe, expect, it } from "vitest";
import { parseAdministratorSettings } from "./file.ts";
import { SettingsError } from "./problem.ts";

const freeze = (fields: object): string =>
  JSON.stringify({
    fleet: { freezes: [{ name: "f", from: "2026-12-20T00:00:00Z", to: "2027-01-04T00:00:00Z", ...fields }] },
  });
const weekly = (fields: object): string =>
  JSON.stringify({
    fleet: {
      freezes: [{ name: "f", weekly: { days: ["Saturday"], from: "00:00", to: "24:00", ...fields } }],
    },
  });

describe("the fleet's settings", () => {
  it("limit nothing by default", () => {
    expect(parseAdministratorSettings("").fleet).toEqual({ freezes: [] });
  });

  it("keep what is given, as people write it in YAML", () => {
    const text = `
fleet:
  maxRollouts: 10
  maxRolloutsPerNamespace: 2
  freezes:
    - {name: year-end, from: 2026-12-20T00:00:00+01:00, to: 2027-01-04T06:00:00Z, namespaces: [shop], promote: Allow}
    - name: weekend
      weekly: {days: [Saturday, Sunday], from: 00:00, to: 24:00, timeZone: Europe/Berlin}`;
    expect(parseAdministratorSettings(text).fleet).toEqual({
      maxRollouts: 10,
      maxRolloutsPerNamespace: 2,
      freezes: [
        {
          ...{ name: "year-end", namespaces: ["shop"], promote: "Allow" },
          ...{ from: "2026-12-20T00:00:00+01:00", to: "2027-01-04T06:00:00Z" },
        },
        {
          ...{ name: "weekend", namespaces: ["*"], promote: "Refuse" },
          weekly: { days: ["Saturday", "Sunday"], from: "00:00", to: "24:00", timeZone: "Europe/Berlin" },
        },
      ],
    });
  });

  it.each([
    ["fleet: {maxRollouts: 0}", "fleet.maxRollouts: Too small"],
    ["fleet: {maxRolloutsPerNamespace: 1.5}", "fleet.maxRolloutsPerNamespace: Invalid input"],
    ["fleet: {limit: 1}", 'fleet: Unrecognized key: "limit"'],
    [freeze({ from: "2026-12-20" }), 'fleet.freezes[0].from: must be a time with its offset, such as "2026'],
    [freeze({ to: "2026-13-20T00:00:00Z" }), "fleet.freezes[0].to: must be a time with its offset"],
    [freeze({ to: "2026-12-20T00:00:00Z" }), "fleet.freezes[0].to: is not after from"],
    [freeze({ to: undefined }), "fleet.freezes[0].to: is missing; give from and to, or weekly"],
    [
      freeze({ from: undefined, to: undefined }),
      "fleet.freezes[0].from: is missing; give from and to, or weekly",
    ],
    [
      freeze({ weekly: { days: ["Monday"], from: "00:00", to: "01:00" } }),
      "fleet.freezes[0].weekly: cannot be given together with from and to",
    ],
    [freeze({ name: "Year End" }), "fleet.freezes[0].name: must be 1 to 40 lower-case letters"],
    [freeze({ namespaces: ["a*"] }), "fleet.freezes[0].namespaces[0]: must be the name of a namespace"],
    [freeze({ promote: "Maybe" }), "fleet.freezes[0].promote: Invalid option"],
    [weekly({ days: [] }), "fleet.freezes[0].weekly.days: Too small"],
    [weekly({ days: ["Sat"] }), "fleet.freezes[0].weekly.days[0]: Invalid option"],
    [weekly({ from: "24:00" }), 'fleet.freezes[0].weekly.from: must be a time of day, such as "16:00"'],
    [weekly({ from: "9:00" }), "fleet.freezes[0].weekly.from: must be a time of day"],
    [weekly({ from: 960 }), "fleet.freezes[0].weekly.from: give a time of day in quotes"],
    [weekly({ to: "00:00" }), "fleet.freezes[0].weekly.to: is the same as from"],
    [
      weekly({ timeZone: "Berlin" }),
      "fleet.freezes[0].weekly.timeZone: is not a time zone; write an IANA name",
    ],
    [
      JSON.stringify({ fleet: { freezes: [1, 2].map(() => JSON.parse(freeze({})).fleet.freezes[0]) } }),
      'fleet.freezes[1].name: there is another freeze named "f"; names must differ',
    ],
  ])("refuse %j", (text, message) => {
    expect(() => parseAdministratorSettings(text)).toThrow(message);
    expect(() => parseAdministratorSettings(text)).toThrow(SettingsError);
  });
});
