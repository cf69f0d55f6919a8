import { describe, expect, it } from "vitest";
import { explainNodeOptions } from "./explain.ts";

const kinds = (text: string) => explainNodeOptions(text).map(({ flag, kind }) => `${flag} ${kind}`);

describe("explainNodeOptions", () => {
  it("names the typed field or the reason for each flag of a hand-tuned line", () => {
    expect(explainNodeOptions("--max-old-space-size=450 --gc-interval=100 --optimize-for-size")).toEqual([
      { flag: "--max-old-space-size", kind: "Typed", remedy: "spec.tuning.nodeOptions.maxOldSpaceMiB: 450" },
      {
        flag: "--gc-interval",
        kind: "Refused",
        remedy: "Node refuses it in NODE_OPTIONS and the process exits with 9; leave it out.",
      },
      {
        flag: "--optimize-for-size",
        kind: "Refused",
        remedy: "Node refuses it in NODE_OPTIONS and the process exits with 9; leave it out.",
      },
    ]);
  });

  it.each([
    ["--max_old_space_size=64", ["--max_old_space_size Typed"]],
    ["--max-old-space-size 256", ["--max-old-space-size Typed"]],
    ["--max-old-space-size=256m", ["--max-old-space-size Malformed"]],
    ["--max-old-space-size=-1", ["--max-old-space-size Malformed"]],
    ["--max-old-space-size=", ["--max-old-space-size Malformed"]],
    ["--max-old-space-size --expose-gc", ["--max-old-space-size Malformed", "--expose-gc Refused"]],
    ["--max-heap-size=300", ["--max-heap-size Typed"]],
    ["--dns-result-order=ipv4first", ["--dns-result-order Typed"]],
    ["--require ./x.js --title=a", ["--require Refused", "--title Refused"]],
    ["-r ./x.js", ["-r Refused"]],
    ["--import=data:text/javascript,1", ["--import Refused"]],
    ["--inspect=0.0.0.0:9229", ["--inspect Refused"]],
    ["--inspect-brk", ["--inspect-brk Refused"]],
    ["--watch", ["--watch Refused"]],
    ["--tls-keylog=/tmp/keys", ["--tls-keylog Refused"]],
    ["--no-node-snapshot", ["--no-node-snapshot Refused"]],
    ["--no-parallel-scavenge", ["--no-parallel-scavenge Refused"]],
    ["--max-old-space-size-percentage=75", ["--max-old-space-size-percentage Refused"]],
    ["--made-up", ["--made-up Refused"]],
    ["server.js", ["server.js Malformed"]],
    ["--", ["-- Refused"]],
    ['"--title=a b" --expose-gc', ["--title Refused", "--expose-gc Refused"]],
    ['--title="a', ["NODE_OPTIONS Malformed"]],
    ['--title="a\\', ["NODE_OPTIONS Malformed"]],
    ["", []],
    ["   ", []],
  ])("%s", (text, expected) => {
    expect(kinds(text)).toEqual(expected);
  });

  it.each([
    [
      "--dns-result-order=ipv4First",
      'spec.tuning.nodeOptions.dnsResultOrder: "ipv4First" is not one of ipv4first, ipv6first, verbatim; did you mean ipv4first?',
    ],
    [
      "--max-old-space-size=2",
      "spec.tuning.nodeOptions.maxOldSpaceMiB: 2 is below 32, the least that is allowed; raise it.",
    ],
    [
      "--max-semi-space-size=1024",
      "spec.tuning.nodeOptions.maxSemiSpaceMiB: 1024 is above 512, the most that is allowed; lower it.",
    ],
    [
      "--max-old-space-size=256m",
      '"256m" is not a whole number; set spec.tuning.nodeOptions.maxOldSpaceMiB to a number without a unit.',
    ],
    ["--dns-result-order", "it has no value; set spec.tuning.nodeOptions.dnsResultOrder."],
  ])("recommends nothing that the field would refuse: %s", (text, remedy) => {
    expect(explainNodeOptions(text)).toMatchObject([{ kind: "Malformed", remedy }]);
  });

  it("lets the last of two equal flags count, however they are spelled", () => {
    expect(explainNodeOptions("--max-old-space-size=100 --max_old_space_size=200")).toEqual([
      { flag: "--max_old_space_size", kind: "Typed", remedy: "spec.tuning.nodeOptions.maxOldSpaceMiB: 200" },
    ]);
  });
});
