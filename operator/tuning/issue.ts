/** Why a plan is refused: the field's path and one sentence of value, rule and remedy. */
export interface Issue {
  path: string;
  message: string;
}
