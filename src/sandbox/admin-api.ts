import { errorMessage } from '../shared/error-code';

const TIMEOUT_MS = 120_000;
const PROBE_TIMEOUT_MS = 2_000;
const PAGE = 500;

/** The gateway did not answer at all; it may be on its way up. */
export class NoAnswer extends Error {}

/** The admin API as an operator's script would use it. */
export class AdminApi {
  constructor(
    readonly url: string,
    readonly key: string,
  ) {}

  /** True once the gateway behind the port is the one of this key. */
  async answers(): Promise<boolean> {
    try {
      const response = await this.fetch('GET', '/admin/status', { timeoutMs: PROBE_TIMEOUT_MS });
      await response.arrayBuffer();
      return response.ok;
    } catch {
      return false;
    }
  }

  /** @throws NoAnswer, or an Error with the problem answer's words */
  async call<T>(method: string, path: string, body?: object | string): Promise<T> {
    const type = typeof body === 'string' ? 'application/x-ndjson' : 'application/json';
    const content = typeof body === 'object' ? JSON.stringify(body) : body;
    const response = await this.fetch(method, path, {
      timeoutMs: TIMEOUT_MS,
      ...(content === undefined ? {} : { body: content, type }),
    }).catch((cause: unknown) => {
      throw new NoAnswer(`${method} ${path}: ${errorMessage(cause)}`, { cause });
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T; // the gateway's own answer, whose form the view types declare
  }

  /** All items of a list. */
  async list<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    const query = `${path}${path.includes('?') ? '&' : '?'}limit=${PAGE}`;
    for (let cursor: string | null = ''; cursor !== null;) {
      const after: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page: { items: T[]; nextCursor: string | null } = await this.call('GET', `${query}${after}`);
      items.push(...page.items);
      cursor = page.nextCursor;
    }
    return items;
  }

  private fetch(
    method: string,
    path: string,
    { timeoutMs, body, type }: { timeoutMs: number; body?: string; type?: string },
  ): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.key}`, ...(type === undefined ? {} : { 'Content-Type': type }) },
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body }),
    });
  }
}
