import { describe, expect, it } from "vitest";
import { type FaultPod, faultsOf, faultText, refusedPods } from "./faults.ts";
import type { ContainerFault } from "./types.ts";

const CREATED = 1_000_000;

const pod = (more: Partial<FaultPod>): FaultPod => ({
  name: "chat-b-0",
  createdMs: CREATED,
  ready: false,
  terminating: false,
  finished: false,
  restarts: 0,
  ...more,
});

const ended = (exitCode: number, message = "", reason = "Error") => ({
  exitCode,
  reason,
  message,
});

const waiting = (reason: string, message = "") => ({ reason, message });

const HEAP =
  "\n<--- Last few GCs --->\n[1:0x7f] 2000 ms: Mark-Compact\n\nFATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory\n----- Native stack trace -----\n";

type Row = [
  name: string,
  pod: Partial<FaultPod>,
  reason: ContainerFault["reason"],
  decisiveAtMs: number,
  message: RegExp,
];

describe("what a container's end or wait says", () => {
  it.each<Row>([
    [
      "an image that is not there, once kubelet has tried a few times",
      { waiting: waiting("ImagePullBackOff", 'Back-off pulling image "r/x:9"') },
      "ImagePull",
      CREATED + 30_000,
      /^the image r\/x:9 cannot be pulled: ImagePullBackOff$/,
    ],
    [
      "why it cannot be pulled, without what kubelet and containerd put around the cause",
      {
        waiting: waiting(
          "ImagePullBackOff",
          'Back-off pulling image "r.example/x:9": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "r.example/x:9": failed to resolve reference "r.example/x:9": failed to do request: Head "https://r.example/v2/x/manifests/9": dial tcp: lookup r.example: no such host',
        ),
      },
      "ImagePull",
      CREATED + 30_000,
      /^the image r.example\/x:9 cannot be pulled: Head "https:\/\/r.example\/v2\/x\/manifests\/9": dial tcp: lookup r.example: no such host$/,
    ],
    [
      "the first failed pull",
      { waiting: waiting("ErrImagePull") },
      "ImagePull",
      CREATED + 30_000,
      /^the image cannot be pulled: ErrImagePull$/,
    ],
    [
      "a pull that fails in several lines",
      {
        waiting: waiting(
          "ErrImagePull",
          ' failed to pull and unpack image "r/x:9": no space\nleft on device\n',
        ),
      },
      "ImagePull",
      CREATED + 30_000,
      /^the image r\/x:9 cannot be pulled: no space left on device$/,
    ],
    [
      "a name that is no image",
      { waiting: waiting("InvalidImageName") },
      "ImagePull",
      CREATED,
      /InvalidImageName/,
    ],
    [
      "a Secret that is missing",
      { waiting: waiting("CreateContainerConfigError", 'secret "pg" not found') },
      "ConfigError",
      CREATED + 30_000,
      /secret "pg" not found/,
    ],
    [
      "the kernel's kill",
      { lastTermination: ended(137, "", "OOMKilled") },
      "OOMKilled",
      CREATED,
      /memory limit \(exit 137\)/,
    ],
    [
      "a full heap in process 1",
      { lastTermination: ended(139, HEAP) },
      "HeapExhausted",
      CREATED,
      /exit 139.*heap out of memory/,
    ],
    [
      "a full heap in another process",
      { lastTermination: ended(134, HEAP) },
      "HeapExhausted",
      CREATED,
      /exit 134/,
    ],
    [
      "a flag that Node refuses",
      { lastTermination: ended(9, "node: --gc-interval=1 is not allowed in NODE_OPTIONS\n") },
      "BadNodeOptions",
      CREATED,
      /--gc-interval=1 is not allowed/,
    ],
    [
      "exit 9 without a word",
      { lastTermination: ended(9, " \n") },
      "BadNodeOptions",
      CREATED,
      /^Node refused its options \(exit 9\)$/,
    ],
    [
      "a crash at start",
      {
        restarts: 1,
        waiting: waiting("CrashLoopBackOff"),
        lastTermination: ended(1, "Error: no config\n    at main\nNode.js v24.1.0\n"),
      },
      "CrashLoop",
      CREATED,
      /exit 1: Error: no config/,
    ],
    [
      "a real segmentation fault",
      { restarts: 1, waiting: waiting("CrashLoopBackOff"), lastTermination: ended(139) },
      "CrashLoop",
      CREATED,
      /exit 139 \(segmentation fault\)/,
    ],
    [
      "three restarts far apart",
      { ready: true, restarts: 3, lastTermination: ended(1) },
      "CrashLoop",
      CREATED,
      /^the container ends again and again with exit 1$/,
    ],
    [
      "a loop of which no end is known",
      { waiting: waiting("CrashLoopBackOff") },
      "CrashLoop",
      CREATED,
      /^the container ends again and again$/,
    ],
    ...[
      [134, " (abort)"],
      [137, " (killed)"],
      [143, " (told to end)"],
      [1, ""],
    ].map(
      ([code, name]): Row => [
        `the name of exit ${code}`,
        { restarts: 3, lastTermination: ended(Number(code), "it is over...") },
        "CrashLoop",
        CREATED,
        new RegExp(`with exit ${code}${String(name).replace(/[()]/g, "\\$&")}: it is over$`),
      ],
    ),
    [
      "the last words of a program rather than those of Node",
      { restarts: 3, lastTermination: ended(1, "Error: look at v1.5 (x\n  at main\n}\nNode.js v24.1.0\n") },
      "CrashLoop",
      CREATED,
      /exit 1: Error: look at v1\.5 \(x$/,
    ],
    [
      "exit 9 of the program's own",
      {
        restarts: 1,
        waiting: waiting("CrashLoopBackOff"),
        lastTermination: ended(9, "cannot open the database"),
      },
      "CrashLoop",
      CREATED,
      /cannot open the database/,
    ],
    [
      "no place in the cluster, which says nothing about the version",
      { unschedulable: "0/1 nodes are available: 1 Insufficient memory." },
      "Unschedulable",
      Number.POSITIVE_INFINITY,
      // A sentence goes on after it.
      /Insufficient memory$/,
    ],
    [
      "what kubelet waits for, which says as little",
      { waiting: waiting("ContainerCreating", "failed to sync configmap cache: timed out.") },
      "NotCreated",
      Number.POSITIVE_INFINITY,
      /^the container is not created yet: failed to sync configmap cache: timed out$/,
    ],
  ])("%s", (_name, facts, reason, decisiveAtMs, message) => {
    const [fault, ...others] = faultsOf([pod(facts)]);
    expect(others).toEqual([]);
    expect(fault).toMatchObject({ reason, pod: "chat-b-0", decisiveAtMs });
    expect(fault?.message).toMatch(message);
  });
});

describe("pods that are refused", () => {
  it("only explain why there are none, in the words of who refuses them", () => {
    const refusal =
      'pods "chat-b-0" is forbidden: exceeded quota: pods, requested: pods=1, used: pods=2, limited: pods=2';
    expect(refusedPods(refusal)).toEqual([
      {
        reason: "PodsRefused",
        pod: undefined,
        message: `its pods are refused: ${refusal}`,
        decisiveAtMs: Number.POSITIVE_INFINITY,
      },
    ]);
    expect(refusedPods(undefined)).toEqual([]);
  });
});

describe("what is no fault", () => {
  it.each<[string, Partial<FaultPod>]>([
    ["a pod that starts", { waiting: waiting("ContainerCreating") }],
    ["a ready pod", { ready: true }],
    ["one restart", { ready: true, restarts: 1, lastTermination: ended(1) }],
    ["a pod that is told to end", { terminating: true, lastTermination: ended(137, "", "OOMKilled") }],
    ["a pod that has ended", { finished: true, lastTermination: ended(1) }],
    ["the word heap in a program that ended well", { lastTermination: ended(0, HEAP, "Completed") }],
  ])("%s", (_name, facts) => {
    expect(faultsOf([pod(facts)])).toEqual([]);
  });
});

it.each([
  [200, "x".repeat(200)],
  [201, `${"x".repeat(197)}...`],
])("keeps messages short enough for status: %d characters", (length, cause) => {
  const [fault] = faultsOf([pod({ waiting: waiting("ImagePullBackOff", "x".repeat(length)) })]);
  expect(fault?.message).toBe(`the image cannot be pulled: ${cause}`);
});

it("names the pod of a fault, where there is one", () => {
  const fault: ContainerFault = {
    reason: "OOMKilled",
    pod: "chat-b-0",
    message: "it was killed",
    decisiveAtMs: 0,
  };
  expect(faultText(fault)).toBe("pod chat-b-0: it was killed");
  expect(faultText({ ...fault, pod: undefined })).toBe("it was killed");
});
