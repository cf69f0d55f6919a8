import {
  COMMAND_NAMES,
  COMMON,
  type CommandName,
  infoOf,
  OPTIONS,
  type OptionName,
  optionsOf,
} from "./command-table.ts";
import { wrapped } from "./render/wrap.ts";

const TOOL = "kubectl llmbridge";

const WIDTH = 100;

const EXIT_CODES = `Exit codes:
  0 done   1 refused or failed, or lint found something   2 wrong use   3 not answered or not over in time
  4 status: rolled back, stalled or refused   5 status --no-wait: still in progress
  130, 143 interrupted by SIGINT, SIGTERM
`;

/** The help of the whole tool, or of one command. */
export function usage(command?: CommandName): string {
  return command === undefined ? usageOfAll() : usageOf(command);
}

function usageOfAll(): string {
  const lines = COMMAND_NAMES.map(
    (name) => [`${name} ${infoOf(name).words}`.trimEnd(), infoOf(name).says] as const,
  );
  return [
    "Watch and steer LLM bridges.\n",
    `Usage:\n  ${TOOL} COMMAND [NAME] [OPTIONS]\n`,
    `Commands:\n${aligned(lines)}`,
    `Options of every command:\n${aligned(COMMON.map(optionLine))}`,
    `\`${TOOL} COMMAND -h\` shows the options of a command, and examples.\n`,
    EXIT_CODES,
  ].join("\n");
}

function usageOf(command: CommandName): string {
  const { words, says, more, examples = [] } = infoOf(command);
  return [
    `${says.charAt(0).toUpperCase()}${says.slice(1)}.\n`,
    ...(more === undefined ? [] : [`${wrapped(more, WIDTH).join("\n")}\n`]),
    `Usage:\n  ${[TOOL, command, words, "[OPTIONS]"].filter(Boolean).join(" ")}\n`,
    ...(examples.length === 0
      ? []
      : [`Examples:\n${examples.map((line) => `  ${TOOL} ${line}\n`).join("")}`]),
    `Options:\n${aligned(optionsOf(command).map(optionLine))}`,
    EXIT_CODES,
  ].join("\n");
}

function optionLine(name: OptionName): readonly [string, string] {
  const option = OPTIONS[name];
  const short = "short" in option ? `-${option.short}, ` : "    ";
  const value = "value" in option ? ` ${option.value}` : "";
  return [`${short}--${name}${value}`, option.says];
}

function aligned(lines: readonly (readonly [string, string])[]): string {
  const width = Math.max(...lines.map(([left]) => left.length));
  return lines.map(([left, right]) => `  ${left.padEnd(width)}   ${right}\n`).join("");
}
