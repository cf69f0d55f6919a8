import { describe, expect, it } from "vitest";
import { VERSION } from "../../version.ts";
import { testTerminal } from "../testing/terminal.ts";
import { version, versionText } from "./version.ts";

const operator = {
  namespace: "ops",
  name: "llmbridge",
  version: "0.2.0",
  image: "r/operator:0.2.0",
  ready: 1,
};
const client = { version: "0.1.0" };

describe("versionText", () => {
  it("is a line for the tool and one for each operator", () => {
    const other = { ...operator, namespace: "team", version: "unknown", ready: 0 };
    expect(versionText({ client, operators: [operator, other] })).toBe(
      `${[
        "client     0.1.0",
        "operator   0.2.0     ops/llmbridge, image r/operator:0.2.0",
        "operator   unknown   team/llmbridge, image r/operator:0.2.0, no pod is ready",
      ].join("\n")}\n`,
    );
  });

  it("says why it is not known", () => {
    expect(versionText({ client, unknown: "you may not do this: m" })).toBe(
      "client     0.1.0\noperator   unknown   you may not do this: m\n",
    );
    expect(versionText({ client, operators: [] })).toMatch(
      /operator {3}unknown {3}no Deployment has the label/,
    );
    expect(versionText({ client })).toBe("client   0.1.0\n");
  });
});

it("version needs no cluster", async () => {
  const terminal = testTerminal();
  const place = { kubeconfig: "/nowhere", context: undefined, namespace: undefined };
  expect(await version({ ...place, clientOnly: false, output: undefined }, {}, terminal)).toBe(0);
  expect(terminal.out).toMatch(new RegExp(`^client +${VERSION}\\noperator +unknown +\\S`));
});
