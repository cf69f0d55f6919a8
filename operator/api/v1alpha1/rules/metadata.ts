import { NAME_MAX_LENGTH, RESERVED_NAME_ENDINGS } from "../llmbridge.ts";
import { celList, sentence } from "./cel.ts";
import { type Rule, rule } from "./rule.ts";

interface Named {
  readonly metadata: { readonly name: string };
}

const ENDINGS = RESERVED_NAME_ENDINGS.join(", ").replace(/, (?=[^,]*$)/, " or ");
const dns1035 = "^[a-z]([-a-z0-9]*[a-z0-9])?$";

/** Names of children are built from the name of the bridge. */
export const METADATA_RULES: readonly Rule[] = [
  rule<Named>({
    id: "name-length",
    path: "",
    validation: {
      rule: `self.metadata.name.size() <= ${NAME_MAX_LENGTH}`,
      message: `A bridge's name has at most ${NAME_MAX_LENGTH} characters, because the names of its children are built from it; shorten it.`,
      messageExpression: sentence`"${"self.metadata.name"}" has ${"self.metadata.name.size()"} characters; a bridge has at most ${NAME_MAX_LENGTH}, because the names of its children are built from it. Shorten it.`,
      fieldPath: ".metadata.name",
    },
    check: ({ metadata: { name } }) =>
      name.length <= NAME_MAX_LENGTH
        ? undefined
        : `"${name}" has ${name.length} characters; a bridge has at most ${NAME_MAX_LENGTH}, because the names of its children are built from it. Shorten it.`,
    accepted: { name: "a".repeat(NAME_MAX_LENGTH) },
    refused: { name: "a".repeat(NAME_MAX_LENGTH + 1) },
    expect: "at most 35",
  }),
  rule<Named>({
    id: "name-dns-1035",
    path: "",
    validation: {
      rule: `self.metadata.name.matches(r'${dns1035}')`,
      message: "A bridge's name begins with a letter and has only lower-case letters, digits and '-'.",
      messageExpression: `'"' + self.metadata.name + '" cannot name a Service; begin with a letter and use only lower-case letters, digits and "-".'`,
      fieldPath: ".metadata.name",
    },
    check: ({ metadata: { name } }) =>
      new RegExp(dns1035).test(name)
        ? undefined
        : `"${name}" cannot name a Service; begin with a letter and use only lower-case letters, digits and "-".`,
    accepted: { name: "chat-2" },
    refused: { name: "2-chat" },
    expect: "cannot name a Service",
  }),
  rule<Named>({
    id: "name-ending",
    path: "",
    validation: {
      rule: `!${celList(RESERVED_NAME_ENDINGS)}.exists(ending, self.metadata.name.endsWith(ending))`,
      message: `A bridge's name must not end in ${ENDINGS}.`,
      messageExpression: `'"' + self.metadata.name + '" ends like a child of another bridge; a name must not end in ${ENDINGS}. Choose another ending.'`,
      fieldPath: ".metadata.name",
    },
    check: ({ metadata: { name } }) =>
      RESERVED_NAME_ENDINGS.some((ending) => name.endsWith(ending))
        ? `"${name}" ends like a child of another bridge; a name must not end in ${ENDINGS}. Choose another ending.`
        : undefined,
    accepted: { name: "canary-chat" },
    refused: { name: "chat-canary" },
    expect: "must not end in -canary, -production or -baseline",
  }),
];
