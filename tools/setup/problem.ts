/** Something a person has to do before the work can go on; its message is one sentence that says what. */
export class SetupProblem extends Error {
  override readonly name = "SetupProblem";
}
