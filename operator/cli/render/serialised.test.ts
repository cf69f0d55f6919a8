import { describe, expect, it } from "vitest";
import { parseDocument } from "yaml";
import { readAsYaml11 } from "../yaml-11.ts";
import { serialised } from "./serialised.ts";

describe("a value as YAML", () => {
  it.each([
    "on",
    "Off",
    "yes",
    "NO",
    "y",
    "N",
    "true",
    "null",
    "~",
    "0b1",
    "1_000",
    "010",
    "0x1f",
    ".5",
    "1e3",
    "-1",
    "",
  ])("keeps the text %j for whoever reads YAML 1.1, as kubectl does", (text) => {
    const document = parseDocument(serialised({ value: text }, "yaml"));
    readAsYaml11(document);
    expect(document.toJS()).toEqual({ value: text });
  });

  it("leaves plain what is plain in both", () => {
    expect(serialised({ name: "chat", image: "bridge:1.4", count: 3, isOn: true }, "yaml")).toBe(
      "name: chat\nimage: bridge:1.4\ncount: 3\nisOn: true\n",
    );
  });
});
