import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../kube/virtual-clock.ts";
import { withCircuit } from "./circuit.ts";
import type { QueryResult } from "./problems.ts";

const fine: QueryResult = { ok: true, series: [] };
const unreachable: QueryResult = { ok: false, problem: "Unreachable", message: "It cannot be reached." };
const timeout: QueryResult = { ok: false, problem: "Timeout", message: "It did not answer." };
const away = (message: string): QueryResult => ({ ok: false, problem: "Away", message });

function bed() {
  const clock = createVirtualClock();
  const asked: string[] = [];
  const state = { answer: fine, probe: fine, recovered: 0, closed: false };
  const client = withCircuit(
    {
      async query(expression) {
        asked.push(expression);
        return expression === "1" ? state.probe : state.answer;
      },
      async close() {
        state.closed = true;
      },
    },
    { clock, onRecovered: () => state.recovered++ },
  );
  return { clock, asked, state, client };
}

describe("withCircuit", () => {
  it("asks for everybody while the source cannot be reached, and says when it can again", async () => {
    const { clock, asked, state, client } = bed();
    expect(await client.query("a", 0)).toEqual(fine);
    state.answer = unreachable;
    state.probe = unreachable;
    expect(await client.query("b", 0)).toEqual(unreachable);
    await clock.advance(0);
    asked.length = 0;
    for (let query = 0; query < 100; query++)
      expect(await client.query("c", 0)).toEqual(away("It cannot be reached."));
    const probesWithin = async (ms: number) => {
      asked.length = 0;
      await clock.advance(ms);
      return asked;
    };
    // After 2, 4, 8, 8, ... seconds.
    expect(await probesWithin(14_000)).toEqual(["1", "1", "1"]);
    expect(await probesWithin(80_000)).toHaveLength(10);
    expect(state.recovered).toBe(0);
    state.answer = fine;
    state.probe = fine;
    await clock.advance(8_000);
    expect(state.recovered).toBe(1);
    expect(await client.query("d", 0)).toEqual(fine);
    expect(clock.pending).toBe(0);
    state.answer = unreachable;
    state.probe = unreachable;
    await client.query("e", 0);
    await clock.advance(0);
    expect(await probesWithin(2_000)).toEqual(["1"]);
  });

  it("does not take a source for away of which one query timed out", async () => {
    const { clock, state, client } = bed();
    state.answer = timeout;
    expect(await client.query("heavy", 0)).toEqual(timeout);
    await clock.advance(0);
    state.answer = fine;
    expect(await client.query("light", 0)).toEqual(fine);
    expect(state.recovered).toBe(0);
  });

  it("takes it for away when the probe times out too", async () => {
    const { clock, state, client } = bed();
    state.answer = timeout;
    state.probe = timeout;
    await client.query("a", 0);
    await clock.advance(0);
    expect(await client.query("a", 0)).toEqual(away("It did not answer."));
    // What refuses a query is there.
    state.probe = { ok: false, problem: "Refused", message: "No." };
    await clock.advance(2_000);
    expect(state.recovered).toBe(1);
  });

  it("asks no more once it is closed", async () => {
    const { clock, asked, state, client } = bed();
    state.answer = unreachable;
    state.probe = unreachable;
    await client.query("a", 0);
    await clock.advance(0);
    await client.close();
    asked.length = 0;
    await clock.advance(10_000);
    expect(asked).toEqual([]);
    expect(state.closed).toBe(true);
  });
});
