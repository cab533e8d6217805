import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { BodyBuffer } from './body-buffer';
import { decompress, toText } from './decode-body';
import { CallProblem, toCallProblem, type Phase } from './failure';

/** One call on the wire. Every limit is kept here, below axios, because axios knows of limits only in its own adapters. */
export class Exchange implements Dispatcher.DispatchHandler {
  /** Set once undici begins to write: from then on nobody can say that nothing has left. */
  started = false;
  status: number | undefined;
  readonly headers: Record<string, string> = {};
  private readonly body: BodyBuffer;
  private controller: Dispatcher.DispatchController | undefined;
  private timer: NodeJS.Timeout | undefined;
  private settled = false;
  private received = false;
  private resolve: (text: string) => void = () => undefined;
  private reject: (problem: CallProblem) => void = () => undefined;

  constructor(
    private readonly deadlineMs: number,
    private readonly maxBytes: number,
  ) {
    this.body = new BodyBuffer(maxBytes);
  }

  /** Sends the request and gives the body of the whole answer; rejects with a CallProblem. To be called once. */
  perform(dispatcher: Dispatcher, request: Dispatcher.DispatchOptions): Promise<string> {
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      this.timer = setTimeout(() => this.miss(), this.deadlineMs);
      dispatcher.dispatch(request, this);
    });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Throwing drops the request and keeps the connection, which abort() would close. A request that has started once must not be sent a
    // second time on our behalf, whatever the reason.
    if (this.settled || this.started) throw new CallProblem('connection-lost', 'the call is over, or was sent before');
    this.started = true;
    this.controller = controller;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return; // 1xx is no answer yet; the deadline ends a server that sends nothing else
    this.status = status;
    for (const name of Object.keys(headers)) {
      const value = headers[name];
      if (value !== undefined) this.headers[name] = typeof value === 'string' ? value : value.join(', ');
    }
    if (Array.isArray(headers['content-type'])) {
      return this.fail(new CallProblem('response-undecodable', 'the answer has more than one Content-Type'));
    }
    if (Number(this.headers['content-length'] ?? 0) > this.maxBytes) this.fail(this.tooLarge());
  }

  onResponseData(_controller: Dispatcher.DispatchController, piece: Buffer): void {
    if (!this.body.append(piece)) this.fail(this.tooLarge());
  }

  onResponseEnd(): void {
    this.received = true;
    const encoding = this.headers['content-encoding']?.trim().toLowerCase() ?? '';
    const bytes = this.body.bytes();
    if (encoding === '' || encoding === 'identity' || bytes.length === 0) return this.finish(bytes);
    decompress(bytes, encoding, this.maxBytes).then(
      (plain) => this.finish(plain),
      (error: unknown) => this.fail(toCallProblem(error, 'reading-answer')),
    );
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.fail(toCallProblem(error, this.phase()));
  }

  private finish(bytes: Buffer): void {
    if (this.settled) return;
    try {
      const text = toText(bytes);
      this.settle();
      this.resolve(text);
    } catch (error) {
      this.fail(toCallProblem(error, 'reading-answer'));
    }
  }

  private fail(problem: CallProblem): void {
    if (this.settled) return;
    this.settle();
    this.reject(problem);
    // Not after a whole answer: the connection is sound then and may already carry another call.
    if (!this.received) this.controller?.abort(problem);
  }

  private miss(): void {
    const what = { connecting: 'connected', 'awaiting-answer': 'answered', 'reading-answer': 'answered completely' }[
      this.phase()
    ];
    this.fail(new CallProblem('deadline', `not ${what} within ${this.deadlineMs} ms`));
  }

  private settle(): void {
    this.settled = true;
    clearTimeout(this.timer);
  }

  private phase(): Phase {
    if (this.status !== undefined) return 'reading-answer';
    return this.started ? 'awaiting-answer' : 'connecting';
  }

  private tooLarge(): CallProblem {
    return new CallProblem('response-too-large', `the body exceeds ${this.maxBytes} bytes`);
  }
}
