/** Every option there is, as node:util's parseArgs takes it, with what the help says of it. */
export const OPTIONS = {
  namespace: { type: "string", short: "n", value: "NAME", says: "default: that of the kubeconfig's context" },
  context: { type: "string", value: "NAME", says: "context of the kubeconfig" },
  kubeconfig: { type: "string", value: "FILE", says: "default: KUBECONFIG, then ~/.kube/config" },
  "all-namespaces": { type: "boolean", short: "A", says: "the bridges of every namespace" },
  output: { type: "string", short: "o", value: "FORMAT", says: "json or yaml, for programs" },
  watch: {
    type: "boolean",
    short: "w",
    says: "follow changes: get until interrupted, status to the end, as without it",
  },
  "no-wait": { type: "boolean", says: "tell how it stands now, and follow nothing; also --watch=false" },
  until: {
    type: "string",
    value: "END",
    says: "stable (default), or promoted: do not wait for the end of spec.rollout.watchAfter",
  },
  client: { type: "boolean", says: "of this tool alone, without asking the cluster" },
  to: { type: "string", value: "STEP", says: "the step to go to" },
  full: { type: "boolean", says: "all of the traffic to the canary at once" },
  timeout: {
    type: "string",
    value: "TIME",
    says: "how long to wait, such as 30s, 30m or 1h (default 30s; status: as long as it takes)",
  },
  filename: {
    type: "string",
    short: "f",
    multiple: true,
    value: "FILE",
    says: "a file, a folder, or - for stdin; may be given more than once",
  },
  service: {
    type: "string",
    value: "NAME",
    multiple: true,
    says: "a Service to take over, as often as wanted (default: all that select its pods)",
  },
  name: {
    type: "string",
    value: "NAME",
    says: "of the bridge (default: that of the Deployment, if it is free)",
  },
  apply: { type: "boolean", says: "make the bridge, instead of printing it" },
  recursive: { type: "boolean", short: "R", says: "of a folder also what is below it" },
  help: { type: "boolean", short: "h", says: "help, also for one command" },
} as const;
export type OptionName = keyof typeof OPTIONS;

/** Which cluster and namespace is meant, and help: every command takes these. */
export const COMMON: readonly OptionName[] = ["namespace", "context", "kubeconfig", "help"];

/** One command of the tool; help, reference and what the command line may hold are read from this. */
export interface CommandInfo {
  /** What stands behind the command's name, as in the help. */
  readonly words: string;
  /** Fewest and most words that are no options. */
  readonly count: readonly [least: number, most: number];
  /** One line. */
  readonly says: string;
  /** Besides the common ones. */
  readonly options: readonly OptionName[];
  /** What else a person wants to know before using it; sentences. */
  readonly more?: string;
  readonly examples?: readonly string[];
}

export const COMMANDS = {
  get: {
    words: "[NAME]",
    count: [0, 1],
    says: "the bridges as a table, or one as a tree down to its pods",
    options: ["all-namespaces", "output", "watch"],
    more: "A terminal that is narrower than the table is spared its least needed columns. With -w a terminal is redrawn; on a pipe each change is a line. With -o the objects are printed as they are stored.",
    examples: ["get -A", "get chat -w", "get chat -o json | jq .status.canary"],
  },
  status: {
    words: "NAME",
    count: [1, 1],
    says: "follow a change to its end, with an exit code that tells it, for pipelines",
    options: ["until", "timeout", "no-wait", "watch", "output"],
    more: "Follows until the spec's present generation is out: its revision is stable, or was rolled back. Each change on the way is a line; where it waits for a person, the line has the command that goes on. A version that is promoted but watched (spec.rollout.watchAfter) may still be left by itself, so that it is over when the watch is; --until promoted ends with the promotion. An edit made meanwhile is followed in its place, and told. One of a ConfigMap or Secret counts once the operator has seen it, a moment later: what begins in that moment may tell of the content before. The exit code is 0 where it is out; 4 where it was rolled back, stalled, or the spec is refused; 3 where it is not over within --timeout; 5 with --no-wait where it is still in progress; 1 where the bridge was deleted or cannot be read; 130 or 143 where SIGINT or SIGTERM ends the command and not the change. The API server may be away for as long as --timeout lets it; of one that has not answered yet that is two minutes. With -o the answer goes to stdout, and the lines on the way to stderr.",
    examples: [
      "status chat --timeout 30m",
      "set image chat registry.example/bridge:1.5.0 && kubectl llmbridge status chat",
      "status chat --no-wait -o json | jq -r .outcome",
    ],
  },
  explain: {
    words: "NAME",
    count: [1, 1],
    says: "why it is as it is, what happens next, and what you could do",
    options: ["output"],
  },
  history: {
    words: "NAME",
    count: [1, 1],
    says: "its revisions, newest first, and what has become of each",
    options: ["output"],
    more: "What became of a revision that serves no more, and why, is kept on its Deployment. Of one that an older operator retired status tells, which keeps the last ten decisions.",
  },
  diff: {
    words: "NAME [REVISION] [REVISION]",
    count: [0, 3],
    says: "what changes from one revision to another, or by a manifest",
    options: ["filename", "recursive", "output"],
    more: "Compares what was written and what follows from it: the configuration file, the Node options and the pod template. A revision is named by its hash, the beginning of it, or the words stable and canary. Without any the canary is compared with the stable version, and without a canary the stable version with the one that was stable before it, or else with the revision made before it. One is compared with the stable version. With -f the stable version is compared with what the manifest would make. Equal or not, the exit code is 0.",
    examples: ["diff chat", "diff chat 7c9f canary", "diff -f chat.yaml", "diff chat | delta"],
  },
  promote: {
    words: "NAME",
    count: [1, 1],
    says: "leave the present step now",
    options: ["full", "timeout", "output"],
    more: "Waives hold, evidence and approval of the step; not readiness, and not a pause: `resume` first. After a rollback there is no canary: `retry NAME` starts it again from the first step, and `promote NAME --full` then gives it all of the traffic.",
  },
  skip: {
    words: "NAME",
    count: [1, 1],
    says: "go to the next step now, without waiting for the present one's pods",
    options: ["timeout", "output"],
  },
  jump: {
    words: "NAME",
    count: [1, 1],
    says: "go to a step by its name, forwards or backwards",
    options: ["to", "timeout", "output"],
    more: "The step itself is judged like every other: its hold, its evidence and its approval. A lower weight is gone back to without losing capacity.",
    examples: ["jump chat --to half"],
  },
  abort: {
    words: "NAME",
    count: [1, 1],
    says: "take the canary away, or a promoted version that is watched",
    options: ["timeout", "output"],
  },
  undo: {
    words: "NAME [REVISION]",
    count: [1, 2],
    says: "back to the version before, or to a revision",
    options: ["timeout", "output"],
    more: "While a canary is on its way, or a promoted version is watched, this is abort: the traffic goes back at once, and the spec stays. Otherwise the part of the spec that makes a revision becomes what it was for the stable version, where a canary of the present spec was rolled back, or else for the version that was stable before, or for the revision that is named by its hash or the beginning of it; steps, scaling and alerts stay. What that version keeps of ConfigMaps and Secrets is written back into them, and the operator is waited for until it has seen that, at most for --timeout. Going back within spec.rollout.rollbackWindow takes no steps; of a revision that was rolled back a warning says why. Where a GitOps tool writes the spec, change it there too, or it will write it again.",
    examples: ["undo chat", "undo chat 7c9f"],
  },
  restart: {
    words: "NAME",
    count: [1, 1],
    says: "replace the pods of the stable version, a few at a time",
    options: ["timeout", "output"],
    more: "Pods that are there now are evicted, as far as disruption budgets allow it, once as many others are ready beside them; there are never fewer ready pods than are needed. It goes on when the command has ended; `get NAME -w` shows it. A new version ends it.",
  },
  import: {
    words: "deployment/NAME",
    count: [1, 1],
    says: "the bridge that takes over from a Deployment, as YAML",
    options: ["service", "name", "apply", "output"],
    more: "Prints the LLMBridge that runs what the Deployment runs, with comments on all that it could not carry and what to write instead, and writes nothing. Once it is applied the Deployment serves as the stable version of the first canary, and clients go on using its Services. No pod of it is restarted, and it is scaled to 0 after the promotion. The exit code is 1 where something is missing that the resource needs, such as the models behind it.",
    examples: [
      "import deployment/chat > chat.yaml",
      "import deployment/chat --service=chat-api -n ai",
      "import deployment/chat --name=chat-bridge --apply -o json",
    ],
  },
  set: {
    words: "image NAME IMAGE",
    count: [3, 3],
    says: "set the image of a bridge, and tell what that starts",
    options: ["output"],
    more: "Changes spec.image and nothing else, of the object that is there now. Where a GitOps tool writes the spec, change it there too, or it will write the old one again.",
    examples: ["set image chat registry.example/bridge:1.5.0"],
  },
  pause: { words: "NAME", count: [1, 1], says: "hold the rollout where it is", options: ["output"] },
  resume: { words: "NAME", count: [1, 1], says: "let it go on", options: ["output"] },
  retry: {
    words: "NAME",
    count: [1, 1],
    says: "try a version again that was rolled back",
    options: ["timeout", "output"],
  },
  lint: {
    words: "FILE...",
    count: [0, Number.POSITIVE_INFINITY],
    says: "what the API server and the operator would say of manifests",
    options: ["filename", "recursive", "output"],
    more: "Needs no cluster. A FILE is a file, a folder (its .yaml, .yml and .json files) or - for stdin; -f FILE means the same. The exit code is 1 when something would be refused, and 0 when nothing would.",
    examples: ["lint chat.yaml", "lint -R deploy/", "lint - < chat.yaml", "lint chat.yaml -o json"],
  },
  render: {
    words: "FILE...",
    count: [0, Number.POSITIVE_INFINITY],
    says: "the objects that the operator would make of manifests",
    options: ["filename", "recursive", "output"],
    more: "Needs no cluster: the operator's own code decides, as for a bridge that it sees for the first time and without traffic. Owner references are left out, since their uid comes from the API server. Files are given as to lint.",
    examples: ["render chat.yaml", "render chat.yaml -n ai | kubectl apply --dry-run=server -f -"],
  },
  version: {
    words: "",
    count: [0, 0],
    says: "the version of this tool, and of the operators in the cluster",
    options: ["client", "output"],
    more: "The operators' versions are read from the Deployments that their charts made. Where that is not possible it says why, and the exit code is 0.",
  },
  completion: {
    words: "SHELL",
    count: [1, 1],
    says: "a script that completes commands, options and names of bridges",
    options: [],
    more: "SHELL is bash, zsh or fish, for what is called as kubectl-llmbridge; or kubectl, for an executable that kubectl's own completion asks for `kubectl llmbridge` where it is on the PATH as kubectl_complete-llmbridge. The archive for krew holds it.",
    examples: [
      "completion kubectl | install -m 755 /dev/stdin ~/bin/kubectl_complete-llmbridge",
      "completion bash > /etc/bash_completion.d/kubectl-llmbridge",
      'completion zsh > "$fpath[1]/_kubectl-llmbridge"',
      "completion fish > ~/.config/fish/completions/kubectl-llmbridge.fish",
    ],
  },
} as const satisfies Readonly<Record<string, CommandInfo>>;
export type CommandName = keyof typeof COMMANDS;

export const COMMAND_NAMES = Object.keys(COMMANDS) as readonly CommandName[];

export const infoOf = (command: CommandName): CommandInfo => COMMANDS[command];

/** Options that a command takes, its own first. */
export const optionsOf = (command: CommandName): readonly OptionName[] => [
  ...infoOf(command).options,
  ...COMMON,
];
