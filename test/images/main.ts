import { cacheRoot } from "../../tools/setup/cache.ts";
import { provide } from "../../tools/setup/main.ts";
import { SetupProblem } from "../../tools/setup/problem.ts";
import { createProgress } from "../../tools/setup/progress.ts";
import { productImages } from "./all.ts";
import { STAND_IN_NOTE } from "./node-base.ts";

const progress = createProgress({ write: (text) => process.stdout.write(text), nowMs: Date.now });
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

try {
  await provide(["images"], progress);
  for (const image of await productImages(cacheRoot(process.env), progress)) {
    const { compressedBytes = 0, unpackedBytes = 0 } = image.sizes ?? {};
    const sizes = `${megabytes(compressedBytes)} compressed, ${megabytes(unpackedBytes)} unpacked`;
    progress.note(`${image.name.padEnd(26)}${sizes}   ${image.archive}`);
  }
  progress.note(`base: ${STAND_IN_NOTE}`);
} catch (error) {
  process.stderr.write(
    `${error instanceof SetupProblem || error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exitCode = 1;
}
