import { describe, expect, it } from "vitest";
import { Hopeless, until } from "./until.ts";

describe("until", () => {
  it("asks until there is no problem", async () => {
    let asked = 0;
    await until("three", 5000, async () => (++asked < 3 ? "not yet" : undefined), 1);
    expect(asked).toBe(3);
  });

  it("names what it waited for and the last problem, an error included", async () => {
    const refused = async (): Promise<string> => {
      throw new Error("connection refused");
    };
    await expect(until("the server", 5, refused, 1)).rejects.toThrow(
      "Waited 0.005 s for the server: connection refused",
    );
  });

  it("gives up at once when there is no hope", async () => {
    let asked = 0;
    const ended = async (): Promise<string> => {
      asked += 1;
      throw new Hopeless("etcd has ended");
    };
    await expect(until("etcd", 60_000, ended, 1)).rejects.toThrow("etcd has ended");
    expect(asked).toBe(1);
  });
});
