const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';

/** The name of the UNIQUE constraint or index that a statement ran into, if it was that. */
export function violatedUnique(error: unknown): string | undefined {
  return violated(error, UNIQUE_VIOLATION);
}

/** The name of the foreign key that a statement ran into, if it was that. */
export function violatedReference(error: unknown): string | undefined {
  return violated(error, FOREIGN_KEY_VIOLATION);
}

function violated(error: unknown, code: string): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error) || error.code !== code) return undefined;
  return 'constraint' in error && typeof error.constraint === 'string' ? error.constraint : '';
}
