import { describe, expect, it } from "vitest";
import { parseArguments } from "./arguments.ts";
import { CliFailure } from "./failure.ts";

describe("parseArguments", () => {
  it("reads options before and after the name", () => {
    expect(parseArguments(["-n", "ai", "promote", "chat", "--full", "--timeout", "5s"])).toMatchObject({
      ...{ command: "promote", words: ["chat"], namespace: "ai", full: true, timeoutMs: 5000 },
    });
  });

  it("takes files as words, and behind -f", () => {
    expect(parseArguments(["lint", "a.yaml", "-", "-f", "b", "-R"])).toMatchObject({
      ...{ words: ["a.yaml", "-"], files: ["b"], recursive: true },
    });
  });

  it.each([
    [["get", "-n=ai", "-o=json"], { namespace: "ai", output: "json" }],
    [["get", "-wn=ai"], { namespace: "ai", watch: true }],
    [["lint", "-f=a.yaml", "-f==b", "-fc=d"], { files: ["a.yaml", "=b", "c=d"] }],
    [["lint", "-f", "=a", "--", "-f=b"], { files: ["=a"], words: ["-f=b"] }],
  ])("reads values as kubectl does: %j", (argv, values) => {
    expect(parseArguments(argv)).toMatchObject(values);
  });

  it.each([
    ["30", 30_000],
    ["5s", 5_000],
    ["30m", 1_800_000],
    ["1h30m", 5_400_000],
    ["500ms", 500],
  ])("reads --timeout %s", (text, timeoutMs) => {
    const timeoutText = text === "30" ? "30s" : text;
    expect(parseArguments(["status", "chat", "--timeout", text])).toMatchObject({ timeoutMs, timeoutText });
  });

  it.each([
    [["status", "chat"], { noWait: false, until: "stable", timeoutMs: undefined }],
    [["status", "chat", "--no-wait"], { noWait: true }],
    [["status", "chat", "--watch=false", "--until=promoted"], { noWait: true, until: "promoted" }],
    [["status", "chat", "-w=false"], { noWait: true }],
    [["status", "chat", "-w", "-o", "json"], { noWait: false, output: "json" }],
    [["get", "--watch=false"], { watch: false }],
    [["get", "--watch=true"], { watch: true }],
    [["promote", "chat", "--full=false"], { full: false }],
    [["promote", "chat", "--full=True"], { full: true }],
    [["import", "deployment/chat", "--apply=TRUE"], { apply: true }],
    [["promote", "chat", "--full=False"], { full: false }],
    [["status", "chat", "--no-wait=True"], { noWait: true }],
    [["status", "chat", "--watch=False"], { noWait: true }],
    [["status", "chat", "-w=FALSE"], { noWait: true }],
  ])("reads switches as kubectl does: %j", (argv, values) => {
    expect(parseArguments(argv)).toMatchObject(values);
  });

  it.each([
    [[], undefined],
    [["-h"], undefined],
    [["help"], undefined],
    [["get", "--help"], "get"],
    [["help", "get"], "get"],
  ])("shows the help for %j", (argv, help) => {
    expect(parseArguments(argv)).toEqual({ help });
  });

  it.each([
    [["promot", "chat"], "promot is not a command; did you mean promote?"],
    [["help", "promot"], "promot is not a command; did you mean promote?"],
    [["promote"], "promote needs the name of a bridge."],
    [["get", "a", "b"], "b is one word too many; get takes one name."],
    [["get", "-o", "wide"], "-o wide is not a format; write json or yaml."],
    [["get", "chat", "-A"], "a name cannot be got from all namespaces"],
    [["get", "chat", "-w", "-o", "json"], "-w is for people"],
    [["abort", "chat", "-w"], "--watch goes with get, status, not with abort."],
    [["set", "replicas", "chat", "3"], "replicas cannot be set; write `set image NAME IMAGE`"],
    [["set", "image", "chat"], "set needs `image`, the name of a bridge and an image."],
    [["set", "image", "chat", "bridge=b:2"], "a bridge has one image"],
    [["completion"], "completion needs the name of a shell: bash, zsh, fish, kubectl."],
    [["completion", "csh"], "csh is not a shell that is known"],
    [
      ["status", "chat", "--until", "tomorrow"],
      "--until tomorrow is nothing to wait for; write stable or promoted.",
    ],
    [["get", "--no-wait"], "--no-wait goes with status, not with get."],
    [["diff"], "diff needs the name of a bridge, or -f FILE."],
    [["diff", "chat", "-f", "chat.yaml"], "diff needs the name of a bridge, or -f FILE."],
    [["diff", "a", "b", "c", "d"], "d is one word too many; diff takes at most 3 words."],
    [["lint"], "lint needs a file, a folder, or - for stdin."],
    [["render"], "render needs a file, a folder, or - for stdin."],
    [["promote", "chat", "--timeout", "soon"], "--timeout soon is no time to wait"],
    [["promote", "chat", "--timeout", "0"], "--timeout 0 is no time to wait"],
    [["promote", "chat", "--timeout", "Infinity"], "--timeout Infinity is no time to wait"],
    [["promote", "chat", "--timeout", "4294968"], "longer than can be waited"],
    [["get", "--colour"], "unknown option --colour."],
    [["get", "--all-namespace"], "unknown option --all-namespace; did you mean --all-namespaces?"],
    [["get", "-x"], "unknown option -x."],
    [["get", "--context"], "argument missing."],
  ])("refuses %j", (argv, sentence) => {
    const wrong = thrownBy(() => parseArguments(argv));
    expect(wrong).toBeInstanceOf(CliFailure);
    expect(wrong).toMatchObject({ exitCode: 2, message: expect.stringContaining(sentence) });
    expect((wrong as Error).message).toMatch(/kubectl llmbridge ([a-z]+ )?-h/);
  });
});

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}
