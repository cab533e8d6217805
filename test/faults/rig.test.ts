import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '../../src/database/embedded/postmaster';
import { Child } from '../support/child';
import { eventually } from '../support/eventually';
import { HttpMessages } from './rig/http-messages';
import { sentItems } from './rig/sent-items';

describe('the guardian of the fault suite', () => {
  it.each(['SIGKILL', 'SIGINT'] as const)(
    'ends stopped processes and removes folders of a suite that was ended by %s',
    async (signal) => {
      const suite = Child.start(join(__dirname, 'rig', 'guarded.ts'), []);
      const { pid, folder } = JSON.parse(await suite.line('ready'));
      expect([isAlive(pid), existsSync(folder)]).toEqual([true, true]);
      await suite.kill(signal);
      await eventually('nothing is left', async () => !isAlive(pid) && !existsSync(folder), 10_000);
    },
  );
});

describe('the tap on the wire', () => {
  const messagesOf = (side: 'request' | 'answer', pieces: readonly string[]): string[] => {
    const found: string[] = [];
    const messages = new HttpMessages(side, ({ startLine, body }) => found.push(`${startLine} ${body.toString()}`));
    for (const piece of pieces) messages.push(Buffer.from(piece));
    return found;
  };

  it('finds requests that follow each other, however they are cut', () => {
    const text = 'POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: x\r\n\r\n';
    const whole = messagesOf('request', [text]);
    expect(whole).toEqual(['POST /a HTTP/1.1 hello', 'GET /b HTTP/1.1 ']);
    expect(messagesOf('request', [...text])).toEqual(whole);
  });

  it('takes no request for sent that is not complete', () => {
    expect(messagesOf('request', ['POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhell'])).toEqual([]);
  });

  it('finds answers behind a 100 Continue, chunked ones and empty ones', () => {
    const text =
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n' +
      'HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 500 Broken\r\nContent-Length: 1\r\n\r\nx';
    const lines = messagesOf('answer', [...text]).map((line) => line.slice(0, 12));
    expect(lines).toEqual(['HTTP/1.1 200', 'HTTP/1.1 204', 'HTTP/1.1 500']);
  });

  it('hashes every item by its own bytes: another digit or space is another hash', () => {
    const item = (value: string): string => `{"communicationNumber":"n \\"1\\" }","nested":{"a":"}"},"value":${value}}`;
    const [first, second] = sentItems(`{"accountBalances":[${item('1.50')},${item('1.5')}]}`);
    expect([first?.number, second?.number]).toEqual(['n \\"1\\" }', 'n \\"1\\" }']);
    expect(first?.hash).not.toBe(second?.hash);
    expect(sentItems(item('1.50'))).toEqual([first]);
  });
});
