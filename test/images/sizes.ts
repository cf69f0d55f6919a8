import { z } from "zod";
import { run } from "../../tools/setup/command.ts";

const descriptor = z.object({ digest: z.string(), size: z.number() });
const index = z.object({ manifests: z.array(descriptor).min(1) });
const manifest = z.object({ config: descriptor, layers: z.array(descriptor) });

export interface ImageSizes {
  /** Bytes of the gzip layers, as a registry would keep them. */
  readonly compressedBytes: number;
  /** Bytes of the layers unpacked. */
  readonly unpackedBytes: number;
}

/** Sizes of the layers in an OCI archive. */
export async function archiveSizes(archive: string): Promise<ImageSizes> {
  const blob = (digest: string): string => `blobs/${digest.replace(":", "/")}`;
  const read = (path: string): Promise<string> => run(["tar", "-xOf", archive, path]);
  const [first] = index.parse(JSON.parse(await read("index.json"))).manifests;
  if (first === undefined) throw new Error(`${archive} holds no image`);
  const { layers } = manifest.parse(JSON.parse(await read(blob(first.digest))));
  const unpacked = await Promise.all(
    layers.map(async (layer) => {
      const count = `tar -xOf "$1" "$2" | gzip -dc | wc -c`;
      return Number(await run(["sh", "-c", count, "sh", archive, blob(layer.digest)]));
    }),
  );
  return {
    compressedBytes: layers.reduce((sum, layer) => sum + layer.size, 0),
    unpackedBytes: unpacked.reduce((sum, bytes) => sum + bytes, 0),
  };
}
