import { SettingsError } from "./problem.ts";
import {
  type Environment,
  environmentName,
  flagName,
  PROCESS_SETTINGS,
  type ProcessSettingName,
  type ProcessSettings,
} from "./process.ts";

const KEYS = Object.keys(PROCESS_SETTINGS) as ProcessSettingName[];

/** Whether the command line asks for help, which then is all that is done. */
export function wantsHelp(argv: readonly string[]): boolean {
  return argv.includes("--help") || argv.includes("-h");
}

/**
 * Reads flags (`--name=value`, `--name value`, and `--name` alone for true) and the environment.
 * @param argv without the names of the program
 * @throws SettingsError naming the flag or variable, its value, the rule, and for an unknown flag those that exist
 */
export function readProcessSettings(argv: readonly string[], environment: Environment): ProcessSettings {
  const given = readFlags(argv);
  const pairs = KEYS.map((key) => {
    const fromFlag = given.get(key);
    const fromEnvironment = environment[environmentName(key)];
    if (fromFlag !== undefined) return [key, parse(key, flagName(key), fromFlag)];
    if (fromEnvironment !== undefined) return [key, parse(key, environmentName(key), fromEnvironment)];
    return [key, PROCESS_SETTINGS[key].fallback(environment)];
  });
  return Object.fromEntries(pairs) as ProcessSettings;
}

function parse(key: ProcessSettingName, place: string, value: string): unknown {
  const { schema, rule } = PROCESS_SETTINGS[key];
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new SettingsError(`${place} is ${JSON.stringify(value)}, but it must be ${rule}`);
}

function readFlags(argv: readonly string[]): ReadonlyMap<ProcessSettingName, string> {
  const given = new Map<ProcessSettingName, string>();
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] ?? "";
    const [flag = "", ...rest] = argument.split("=");
    const key = KEYS.find((candidate) => flagName(candidate) === flag);
    if (key === undefined) {
      const known = KEYS.map(flagName).join(", ");
      throw new SettingsError(`${JSON.stringify(argument)} is not a flag of the operator; it takes ${known}`);
    }
    if (given.has(key)) throw new SettingsError(`${flag} is given twice; give it once`);
    if (rest.length > 0) {
      given.set(key, rest.join("="));
      continue;
    }
    const next = argv[index + 1];
    const follows = next !== undefined && !next.startsWith("--");
    const isSwitch = typeof PROCESS_SETTINGS[key].fallback({}) === "boolean";
    if (follows && !(isSwitch && next !== "true" && next !== "false")) {
      given.set(key, next);
      index++;
    } else if (isSwitch) {
      given.set(key, "true");
    } else {
      throw new SettingsError(`${flag} has no value; write ${flag}=VALUE`);
    }
  }
  return given;
}
