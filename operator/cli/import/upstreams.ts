import type { LLMBridgeSpecInput } from "../../api/v1alpha1/spec.ts";
import type { Variable } from "./environment.ts";
import { type Carried, type Note, refusalOf } from "./parts.ts";

type Upstream = LLMBridgeSpecInput["upstreams"][number];
type Spec = Pick<LLMBridgeSpecInput, "cache" | "pools">;

/** Variables by which programs are told of a model, as the providers' own libraries read them. */
const MODELS = [
  { protocol: "OpenAI", url: ["OPENAI_BASE_URL", "OPENAI_API_BASE"], token: ["OPENAI_API_KEY"] },
  {
    protocol: "Ollama",
    url: ["OLLAMA_BASE_URL", "OLLAMA_URL", "OLLAMA_HOST", "OLLAMA_API_BASE"],
    token: ["OLLAMA_API_KEY"],
  },
] as const;

const OLLAMA_PORT = 11434;
const OPENAI = "https://api.openai.com/v1";

export interface Backends {
  readonly upstreams: readonly Upstream[];
  readonly spec: Spec;
  readonly notes: readonly Note[];
}

/** Models, Redis and Postgres that variables of the container name, as the fields of the resource for them. */
export function backends(env: readonly Variable[]): Backends {
  const of = (names: readonly string[]) => env.find(({ name }) => names.includes(name));
  const found = MODELS.flatMap(({ protocol, url, token }) => {
    const [address, credential] = [of(url), of(token)];
    const named = address?.value ?? (protocol === "OpenAI" && credential ? OPENAI : undefined);
    if (named === undefined || isComposed(named)) return [];
    const name = protocol.toLowerCase();
    const { secretRef } = credential ?? {};
    return [{ name, protocol, url: addressOf(named, protocol), ...(secretRef ? { secretRef } : {}) }];
  });
  const { parts, notes } = together(found);
  const redis = of(["REDIS_URL"]);
  const postgres = of(["DATABASE_URL", "POSTGRES_URL", "PG_URL"]);
  return {
    upstreams: parts,
    spec: redis?.secretRef ? { cache: { redis: { secretRef: redis.secretRef } } } : {},
    notes: [...notes, ...composed(of), ...inTheOpen(of), ...plainRedis(redis), ...unlimited(postgres)],
  };
}

/** Each beside those before it: which of two serves a model must be said, and no variable says it. */
function together(found: readonly Upstream[]): Carried<Upstream> {
  const parts: Upstream[] = [];
  const notes: Note[] = [];
  for (const one of found) {
    const message = refusalOf({ upstreams: [...parts, one] });
    if (message === undefined) parts.push(one);
    else notes.push({ about: `upstream ${one.name} (${one.url})`, message });
  }
  return { parts, notes };
}

/** Kubernetes puts other variables in place of $(NAME), in variables only: a file of configuration has them as they are. */
const isComposed = (value: string): boolean => value.includes("$(");

function composed(of: (names: readonly string[]) => Variable | undefined): Note[] {
  return MODELS.flatMap(({ protocol, url }) => {
    const { name, value = "" } = of(url) ?? {};
    if (name === undefined || !isComposed(value)) return [];
    const message = `"${value}" takes in other variables, which spec.upstreams cannot; write an upstream with protocol: ${protocol} and the url that comes of it.`;
    return [{ about: `env ${name}`, message }];
  });
}

/** Libraries take a host without a scheme; that of Ollama then goes to Ollama's own port. */
function addressOf(named: string, protocol: Upstream["protocol"]): string {
  const address = named.replace(/\/+$/, "");
  if (/^[a-z]+:\/\//.test(address)) return address;
  const [host = "", ...path] = address.split("/");
  const hasPort = protocol !== "Ollama" || /:\d+$/.test(host);
  return `http://${[hasPort ? host : `${host}:${OLLAMA_PORT}`, ...path].join("/")}`;
}

function inTheOpen(of: (names: readonly string[]) => Variable | undefined): Note[] {
  return MODELS.flatMap(({ token }) => {
    const found = of(token);
    if (found?.value === undefined) return [];
    return [
      {
        about: `env ${found.name}`,
        message: `the credential stands in the open; put it into a Secret and name that in secretRef of the upstream, and leave the variable out.`,
      },
    ];
  });
}

function plainRedis(redis: Variable | undefined): Note[] {
  if (redis?.value === undefined) return [];
  return [
    {
      about: `env ${redis.name}`,
      message:
        "to use this Redis as the shared cache put its URL into a Secret and write spec.cache.redis.secretRef: {name, key}.",
    },
  ];
}

/** How many connections the server allows is known to nobody but its owner. */
function unlimited(postgres: Variable | undefined): Note[] {
  if (postgres === undefined) return [];
  const { name, key } = postgres.secretRef ?? { name: "NAME", key: "KEY" };
  return [
    {
      about: `env ${postgres.name}`,
      message: `for usage records in this Postgres write spec.pools.postgres: {secretRef: {name: ${name}, key: ${key}}, backendConnections: N}, N being what the server allows; sizes per pod follow from it.`,
    },
  ];
}
