/** What a sealed token of a consent is bound to: in another row or column it does not open. */
export function tokenContext(column: 'access_token' | 'refresh_token', consentRowId: string): string {
  return `consent|${column}|${consentRowId}`;
}
