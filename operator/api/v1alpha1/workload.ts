import * as z from "zod";
import { bytes, cpu, duration, name, podSecretRef, textOf } from "./scalars.ts";

/** What the pods are made of: image, resources, upstreams, cache, pools, worker threads, tuning. */

const cpuAndMemory = (what: string, defaults: { cpu: string; memory: string }) =>
  z
    .strictObject({
      cpu: cpu(`${what} CPUs of one pod.`).default(defaults.cpu),
      memory: bytes(`${what} memory of one pod.`).default(defaults.memory),
    })
    .prefault({})
    .meta({ description: `${what} CPUs and memory.` });

export const resources = z
  .strictObject({
    requests: cpuAndMemory("Requested", { cpu: "500m", memory: "512Mi" }),
    limits: cpuAndMemory("Largest allowed", { cpu: "1", memory: "512Mi" }),
  })
  .prefault({})
  .meta({
    description: "Resources of one bridge pod. Heap, worker threads and pools are computed from the limits.",
  });

export const upstream = z.strictObject({
  name: name("Name by which metrics and messages speak of this upstream.", 30),
  protocol: z.enum(["OpenAI", "Ollama"]).meta({ description: "How the upstream speaks." }),
  url: textOf(
    "url",
    "Base URL. For OpenAI it ends in the version, such as https://host/v1; no credentials in it.",
    512,
  ),
  models: z.array(z.string().min(1).max(128)).max(64).default([]).meta({
    description: "Models served by this upstream. Empty: every model that no other upstream names.",
    "x-kubernetes-list-type": "set",
  }),
  maxConcurrencyPerPod: z.int().min(1).max(10_000).default(16).meta({
    description:
      "Requests that one pod has in progress at this upstream at once; more wait in a bounded queue.",
  }),
  secretRef: podSecretRef("Bearer token for the upstream, re-read by the pods when it changes.").optional(),
  timeouts: z
    .strictObject({
      connect: duration(
        "Longest time to connect. A connection that could not be made is tried once more.",
      ).default("5s"),
      firstByte: duration("Longest time from the request to the first byte of the response.").default("30s"),
      idle: duration("Longest silence inside a response.").default("15s"),
    })
    .prefault({})
    .meta({ description: "Time-outs towards the upstream." }),
});

export const cache = z
  .strictObject({
    memory: z
      .strictObject({ maxBytes: bytes("Bytes of answers kept in the memory of one pod.").default("64Mi") })
      .prefault({})
      .meta({ description: "First tier: memory of the pod." }),
    redis: z
      .strictObject({ secretRef: podSecretRef("Key that holds a redis:// or rediss:// URL.") })
      .optional()
      .meta({ description: "Second tier, shared by the pods." }),
    ttl: z
      .strictObject({ answers: duration("How long an answer may be served again.").default("1h") })
      .prefault({})
      .meta({ description: "Time to live by kind of entry." }),
  })
  .prefault({})
  .meta({ description: "Exact cache of answers. The tenant is part of every key." });

const backend = {
  backendConnections: z.int().min(1).max(100_000).meta({
    description: "Connections that the server allows in all. No rollout, surge or drain exceeds it.",
  }),
  reserved: z
    .int()
    .min(0)
    .max(100_000)
    .default(0)
    .meta({ description: "Connections kept free for others of that server." }),
};

export const pools = z
  .strictObject({
    postgres: z
      .strictObject({
        secretRef: podSecretRef("Key that holds a postgres:// URL; usage records are written there."),
        ...backend,
        maxPerPod: z.int().min(1).max(1000).optional().meta({
          description: "Ceiling for one pod. Absent: derived from the budget and the largest pod count.",
        }),
      })
      .optional()
      .meta({ description: "Postgres for usage records." }),
    redis: z.strictObject(backend).optional().meta({
      description:
        "Budget of the Redis server named in spec.cache.redis. Each pod shares one pipelined connection.",
    }),
    http: z
      .strictObject({
        idleConnections: z
          .int()
          .min(1)
          .max(10_000)
          .default(50)
          .meta({ description: "Idle keep-alive sockets kept to each upstream by one pod." }),
      })
      .prefault({})
      .meta({ description: "Sockets to upstreams." }),
  })
  .prefault({})
  .meta({ description: "What backends allow; sizes per pod are derived from it." });

export const workers = z
  .strictObject({
    min: z.int().min(0).max(64).default(1).meta({ description: "Fewest worker threads in a pod." }),
    max: z.int().min(0).max(64).default(2).meta({
      description: "Most worker threads in a pod; capped by CPU and heap, and the cap is reported.",
    }),
  })
  .prefault({})
  .meta({ description: "Worker threads in each pod, for token counting and compression of large bodies." });

export const nodeOptions = z
  .strictObject({
    maxOldSpaceMiB: z
      .int()
      .min(32)
      .max(65_536)
      .optional()
      .meta({ description: "--max-old-space-size. Absent: computed from the memory limit." }),
    maxHeapMiB: z.int().min(64).max(65_536).optional().meta({
      description: "--max-heap-size: the whole heap, young generation included. Node 24.15, 25.9 or newer.",
    }),
    maxSemiSpaceMiB: z
      .int()
      .min(1)
      .max(512)
      .optional()
      .meta({ description: "--max-semi-space-size. Absent: computed." }),
    maxHttpHeaderBytes: z
      .int()
      .min(4096)
      .max(1_048_576)
      .optional()
      .meta({ description: "--max-http-header-size." }),
    stackTraceLimit: z.int().min(0).max(200).optional().meta({ description: "--stack-trace-limit." }),
    dnsResultOrder: z
      .enum(["ipv4first", "ipv6first", "verbatim"])
      .optional()
      .meta({ description: "--dns-result-order." }),
    threadpoolSize: z
      .int()
      .min(1)
      .max(64)
      .optional()
      .meta({ description: "UV_THREADPOOL_SIZE. Absent: computed from the CPU limit." }),
  })
  .prefault({})
  .meta({
    description:
      "Typed Node flags; what is set here wins over what is computed, inside the bounds of the limits.",
  });

export const tuning = z
  .strictObject({
    objective: z.enum(["Latency", "Throughput"]).default("Latency").meta({
      description: "Latency caps the young generation at 16 MiB semi-spaces; Throughput lets it grow.",
    }),
    nodeVersion: textOf(
      "nodeVersion",
      "Node version in the image. With the major alone only flags that every minor takes are used.",
      8,
    ).default("24"),
    nodeOptions,
  })
  .prefault({})
  .meta({ description: "How Node is tuned." });
