import type { ConnectionTap } from '../proxy';
import type { History, Peer } from './history';
import { HttpMessages } from './http-messages';
import { sentItems } from './sent-items';

/** Writes the calls that pass a proxy into the history. */
export function tapFor(history: History, to: Peer): () => ConnectionTap {
  return () => {
    const open: number[] = [];
    const requests = new HttpMessages('request', ({ startLine, body }) => {
      const [method = '', path = ''] = startLine.split(' ');
      const call = history.newCall();
      open.push(call);
      const items = to === 'amlyze' ? { items: sentItems(body.toString('utf8')) } : {};
      history.add({ kind: 'call', call, to, method, path, ...items });
    });
    const answers = new HttpMessages('answer', ({ startLine }) => {
      const call = open.shift();
      if (call === undefined) return;
      history.add({ kind: 'return', call, status: Number(startLine.split(' ')[1]), how: 'answered' });
    });
    return {
      request: (piece) => requests.push(piece),
      answer: (piece) => answers.push(piece),
      closed: (how) => {
        for (const call of open.splice(0)) history.add({ kind: 'return', call, status: 0, how });
      },
    };
  };
}
