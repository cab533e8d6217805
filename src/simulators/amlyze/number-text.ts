/** A JSON number as it stood in the text: no digit may get lost between the wire and the ledger. */
export class NumberText {
  constructor(readonly source: string) {}
}

/** V8 keeps the whole body alive for a longer slice of it; a ledger of 100,000s of values must not. */
function copied(text: string): string {
  return text.length < 13 ? text : Buffer.from(text, 'latin1').toString('latin1');
}

function keepNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' ? new NumberText(copied(context?.source ?? String(value))) : value;
}

/** JSON with every number as its source text; throws a SyntaxError where it is no JSON. */
export function parseKeepingNumbers(text: string): unknown {
  return JSON.parse(text, keepNumber);
}
