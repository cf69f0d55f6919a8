import { type AddressInfo, createServer, type Socket } from "node:net";

export interface PostgresStub {
  readonly url: string;
  /** Texts of the statements that were run. */
  readonly statements: string[];
  /** SQLSTATE with which every connection is refused; undefined: each statement succeeds, with no rows. */
  refusal: string | undefined;
  /** Whether statements are left unanswered; they are answered when it ends. */
  hangs: boolean;
  /** Connections refused so far. */
  refused: number;
  close(): Promise<void>;
}

/** A message of the server: its type, its length and its body (PostgreSQL, "Message Formats"). */
function message(type: string, body: Buffer | string = ""): Buffer {
  const bytes = Buffer.from(body as string);
  const head = Buffer.alloc(5, type);
  head.writeInt32BE(bytes.length + 4, 1);
  return Buffer.concat([head, bytes]);
}

const SIGNED_IN = message("R", Buffer.alloc(4));
const READY = message("Z", "I");
const COMPLETE = message("C", "DONE\0");
const NO_ROWS = Buffer.concat([message("1"), message("2"), message("n"), COMPLETE]);

/** A server on loopback that speaks as much of Postgres' protocol as `pg` needs to sign in and to run statements without rows. */
export async function startPostgresStub(): Promise<PostgresStub> {
  const sockets = new Set<Socket>();
  const hanging: (() => void)[] = [];
  let hangs = false;
  const server = createServer((socket) => {
    sockets.add(socket);
    let unread = Buffer.alloc(0);
    let signedIn = false;
    const take = (typeLength: number): Buffer | undefined => {
      if (unread.length < typeLength + 4) return undefined;
      const length = typeLength + unread.readInt32BE(typeLength);
      if (unread.length < length) return undefined;
      const taken = unread.subarray(0, length);
      unread = unread.subarray(length);
      return taken;
    };
    const answer = (request: Buffer): void => {
      if (stub.hangs) {
        hanging.push(() => answer(request));
        return;
      }
      const [type, text] = [String.fromCharCode(request[0] ?? 0), request.toString("utf8", 5)];
      if (type === "Q" || type === "P") stub.statements.push(text.replaceAll("\0", " ").trim());
      if (type === "Q") socket.write(Buffer.concat([COMPLETE, READY]));
      if (type === "S") socket.write(Buffer.concat([NO_ROWS, READY]));
    };
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (chunk) => {
      unread = Buffer.concat([unread, chunk]);
      if (!signedIn && take(0) !== undefined) {
        signedIn = true;
        if (stub.refusal !== undefined) {
          stub.refused++;
          socket.end(message("E", `SFATAL\0VFATAL\0C${stub.refusal}\0Mrefused\0\0`));
          return;
        }
        socket.write(Buffer.concat([SIGNED_IN, READY]));
      }
      for (let request = take(1); request !== undefined; request = take(1)) answer(request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stub: PostgresStub = {
    url: `postgres://u:p@127.0.0.1:${(server.address() as AddressInfo).port}/db?sslmode=disable`,
    statements: [],
    refusal: undefined,
    get hangs() {
      return hangs;
    },
    set hangs(value) {
      hangs = value;
      if (!hangs) for (const answerNow of hanging.splice(0)) answerNow();
    },
    refused: 0,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return stub;
}
