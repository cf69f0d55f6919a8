import type { Knobs } from "./knobs.ts";

export type Body = Readonly<Record<string, unknown>>;

/** A question as every API asks it. */
export interface Question {
  readonly model: string;
  readonly text: string;
  readonly stream: boolean;
}

/** How one route of one API writes what the stand-in answers. */
export interface Route {
  question(body: Body): Question;
  error(status: number, message: string): unknown;
  /** The answer in one piece. */
  whole(question: Question, tokens: readonly string[], body: Body, knobs: Knobs): unknown;
  /** Absent: the route does not stream. */
  readonly stream?: StreamForm;
}

export interface StreamForm {
  readonly contentType: string;
  /** The bytes of one token; the first one may carry more. */
  token(question: Question, token: string, index: number): string;
  /** The bytes that end a complete stream. */
  end(question: Question, tokens: readonly string[], body: Body): string;
}
