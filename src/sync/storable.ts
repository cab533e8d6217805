/** Postgres text holds no NUL, and what a bank writes may have one. */
export function storable(text: string | undefined): string | undefined {
  return text?.replaceAll('\0', '\ufffd');
}
