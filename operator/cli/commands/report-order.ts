import type { OutputFormat } from "../arguments.ts";
import type { Connection } from "../connection.ts";
import type { OrderOutput } from "../outputs.ts";
import { serialised } from "../render/serialised.ts";
import type { Terminal } from "../terminal.ts";

/** What became of an order: a sentence for a person, the whole record with `-o`. Whatever fails is thrown instead, so that stdout holds one or nothing. */
export function reportOrder(
  { namespace }: Pick<Connection, "namespace">,
  { name, output }: { readonly name: string; readonly output: OutputFormat | undefined },
  told: Omit<OrderOutput, "bridge">,
  terminal: Terminal,
): void {
  const record: OrderOutput = { bridge: { namespace, name }, ...told };
  terminal.write(output === undefined ? `${name}: ${told.message}\n` : serialised(record, output));
}
