/** What is stored cannot be used by this build with this configuration. The message is for the operator, and holds no secret. */
export class StoredProblem extends Error {
  override readonly name: string = 'StoredProblem';
}
