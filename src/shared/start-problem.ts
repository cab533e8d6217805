/**
 * A reason not to start that the operator can remove: `main` prints its lines without a stack and ends with code 1.
 * Lines name variables, folders and remedies, never values that may be secret.
 */
export class StartProblem extends Error {
  constructor(
    readonly lines: readonly string[],
    options?: ErrorOptions,
  ) {
    super(lines.join('\n'), options);
    this.name = new.target.name;
  }
}
