import { expect, it } from "vitest";
import { FILES } from "../../../contract/endpoints.ts";
import { TEMPLATE_KEY } from "../../bridges/desired/configmaps.ts";
import { revisionFiles } from "./revision-files.ts";

it.each(["1234567890", "12345678e9", "0x12345678"])(
  "masks a revision's hash alike, also one that looks like a number: %s",
  (revision) => {
    const files = (hash: string) => {
      const metadata = { name: `chat-${hash}`, labels: { "llmbridge.dev/revision": hash } };
      const env = [{ name: "NODE_OPTIONS", value: "--max-old-space-size=512 --no-warnings" }];
      const spec = {
        template: { spec: { containers: [{ env }], secret: `chat-${hash}-secret-0-x${hash.length}` } },
      };
      const data = {
        [TEMPLATE_KEY]: JSON.stringify({ metadata, spec }),
        [FILES.config]: JSON.stringify({ revision: hash }),
      };
      return revisionFiles(data, hash);
    };
    expect(files(revision)).toEqual(files("abcdefabcd"));
    expect(files(revision)["deployment.yaml"]).toContain("name: chat-REVISION");
    expect(files(revision).NODE_OPTIONS).toBe("--max-old-space-size=512\n--no-warnings\n");
  },
);
