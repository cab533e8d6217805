import { lookedUp } from './looked-up';

/**
 * An index by account, of a table that grows for ever, has a page for each account, and a run over all accounts changes all of these pages. So
 * these indexes begin with the block of the id, 262,144 rows that came one after the other: what is written now is in
 * one small part of the index, and a list of an account goes from block to block. See
 * docs/decisions/0016-new-rows-side-by-side.md.
 */
const BLOCK_BITS = 18;

/** The blocks of the table as `blocks(block)`, from the one of the id on. */
export function blocksFrom(id: string, table: string): string {
  return `generate_series(${blockOf(`${id}::bigint`)}, ${newestBlock(table)}) as blocks(block)`;
}

/** All blocks of the table as `blocks(block)`, the newest first. */
export function blocksDown(table: string): string {
  return `generate_series(${newestBlock(table)}, 0, -1) as blocks(block)`;
}

/** That the row with this id is in the block that is looked at, in words that only an index by block can answer. */
export function inBlock(id: string): string {
  return lookedUp(blockOf(id), 'blocks.block');
}

function blockOf(id: string): string {
  return `(${id} >> ${BLOCK_BITS})`;
}

function newestBlock(table: string): string {
  return `(select ${blockOf('max(id)')} from ${table})`;
}
