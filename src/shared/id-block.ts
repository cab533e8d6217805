/**
 * An index by account, of a table that grows for ever, has a page for each account, and a run over all accounts changes all of these pages. So
 * these indexes begin with the block of the id, 262,144 rows that came one after the other: what is written now is in
 * one small part of the index, and a list of an account goes from block to block. See
 * docs/decisions/0016-new-rows-side-by-side.md.
 */
const BLOCK_BITS = 18;

/** The block of an id, as the indexes have it. */
export function idBlock(id: string): string {
  return `(${id} >> ${BLOCK_BITS})`;
}

/** All blocks of the table as rows of one column, from the one of the id on: `from ${blocksFrom('$1', 'amlyze_record')} as b(block)`. */
export function blocksFrom(id: string, table: string): string {
  return `generate_series(${idBlock(`${id}::bigint`)}, ${newestBlock(table)})`;
}

/** All blocks of the table, the newest first. */
export function blocksDown(table: string): string {
  return `generate_series(${newestBlock(table)}, 0, -1)`;
}

function newestBlock(table: string): string {
  return `(select ${idBlock('max(id)')} from ${table})`;
}
