import { createHash } from 'node:crypto';

export interface SentItem {
  number: string;
  /** SHA-256 of the item's own bytes. */
  hash: string;
}

const NUMBER = /"communicationNumber"\s*:\s*"((?:[^"\\]|\\.)*)"/;

/** The items of a request to AMLYZE, by their own bytes: parsing them would hide a changed digit or key order. */
export function sentItems(body: string): SentItem[] {
  const list = /^\s*\{\s*"(?:accountBalances|operations)"\s*:\s*\[/.exec(body);
  const texts = list ? objectsFrom(body, list[0].length) : [body.trim()];
  return texts.flatMap((text) => {
    const number = NUMBER.exec(text)?.[1];
    return number === undefined ? [] : [{ number, hash: createHash('sha256').update(text).digest('hex') }];
  });
}

/** The texts of the objects that stand one after the other from `start` on. */
function objectsFrom(text: string, start: number): string[] {
  const found: string[] = [];
  let depth = 0;
  let begin = start;
  let inString = false;
  for (let at = start; at < text.length; at += 1) {
    const sign = text[at];
    if (inString) {
      if (sign === '\\') at += 1;
      else if (sign === '"') inString = false;
    } else if (sign === '"') inString = true;
    else if (sign === '{') {
      if (depth === 0) begin = at;
      depth += 1;
    } else if (sign === '}') {
      depth -= 1;
      if (depth < 0) break;
      if (depth === 0) found.push(text.slice(begin, at + 1));
    }
  }
  return found;
}
