import { connect } from 'node:net';
import { once } from 'node:events';
import { Controller, Get, Post } from '@nestjs/common';
import { AccountsModule } from '../../src/accounts/accounts.module';
import { Public } from '../../src/admin/admin-key.guard';
import { openApiDocument } from '../../src/admin/open-api';
import { RatesModule } from '../../src/balances/rates.module';
import { ConnectionsModule } from '../../src/connections/connections.module';
import { ConsentsModule } from '../../src/consents/consents.module';
import { ADMIN_KEY, type AdminApp, startAdminApp } from '../support/admin-app';

@Controller()
class ProbeController {
  @Get('health/live')
  @Public()
  live(): object {
    return { status: 'ok' };
  }

  @Get('metrics')
  @Public('metrics')
  metrics(): string {
    return '';
  }

  @Get('fails')
  fails(): never {
    throw new Error('canary-secret in select * from connection at /srv/app.js:17');
  }

  @Post('stands-in-the-way')
  standsInTheWay(): never {
    throw Object.assign(new Error('deadlock detected'), { code: '40P01' });
  }

  @Post('loses-database')
  losesDatabase(): never {
    throw Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:5432'), { code: 'ECONNREFUSED' });
  }
}

/** The complete list: a new route without a key has to be written down here. */
const OPEN_ROUTES = ['GET /health/live'];

describe('the admin API', () => {
  let admin: AdminApp;

  beforeAll(async () => {
    class ProbeModule {}
    admin = await startAdminApp([
      ConnectionsModule,
      ConsentsModule,
      AccountsModule,
      RatesModule,
      { module: ProbeModule, controllers: [ProbeController] },
    ]);
  });
  afterAll(() => admin.close());

  function routes(): { method: string; path: string }[] {
    const { paths } = openApiDocument(admin.app);
    return Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path: path.replace(/\{\w+\}/g, '1') })),
    );
  }

  it('answers 401 on every route without a key, with a wrong one, or with one in another place', async () => {
    const closed = routes().filter(({ method, path }) => !OPEN_ROUTES.includes(`${method} ${path}`));
    expect(closed.length).toBeGreaterThan(15);
    const wrong = [
      {},
      { authorization: ADMIN_KEY },
      { authorization: `Basic ${ADMIN_KEY}` },
      { authorization: 'Bearer ' },
      { authorization: `Bearer ${ADMIN_KEY.slice(0, -1)}x` },
      { authorization: `Bearer ${ADMIN_KEY} x` },
      { 'x-api-key': ADMIN_KEY },
    ];
    for (const { method, path } of closed) {
      for (const headers of wrong) {
        const answer = await fetch(`${admin.url}${path}`, { method, headers });
        expect([method, path, answer.status]).toEqual([method, path, 401]);
        expect(answer.headers.get('www-authenticate')).toContain('Bearer');
        expect(answer.headers.get('content-type')).toContain('application/problem+json');
        await answer.arrayBuffer();
      }
    }
  });

  it('answers 401 without a key also below /admin where there is no route, so that nobody learns the list by trying', async () => {
    for (const path of ['/admin', '/admin/nothing', '/ADMIN/nothing/1']) {
      expect([path, (await admin.anonymous.get(path)).status]).toEqual([path, 401]);
      expect([path, (await admin.api.get(path)).status]).toEqual([path, 404]);
    }
    expect((await admin.anonymous.put('/admin/connections')).status).toBe(401);
    expect((await admin.anonymous.get('/administration')).status).toBe(404);
  });

  it('lets everybody see the open routes, and the metrics only where METRICS_PUBLIC is set', async () => {
    for (const route of OPEN_ROUTES) {
      expect((await admin.anonymous.get(route.replace('GET ', ''))).status).toBe(200);
    }
    expect((await admin.anonymous.get('/metrics')).status).toBe(401);
    class ProbeModule {}
    const open = await startAdminApp([{ module: ProbeModule, controllers: [ProbeController] }], {
      METRICS_PUBLIC: 'true',
    });
    try {
      expect((await open.anonymous.get('/metrics')).status).toBe(200);
    } finally {
      await open.close();
    }
  });

  it('answers every fault as problem+json with a correlation id and nothing of the inside', async () => {
    const json = admin.api.post('/admin/connections').set('Content-Type', 'application/json');
    const faults: [string, Promise<{ status: number; type: string; text: string; body: unknown }>, number][] = [
      ['unknown route', admin.api.get('/admin/nothing?x=canary-secret').then(), 404],
      ['unknown method', admin.api.put('/admin/connections').send({}).then(), 404],
      ['malformed JSON', json.send('{"name": "canary-secret"').then(), 400],
      [
        'JSON of a bare text',
        admin.api.post('/admin/connections').set('Content-Type', 'application/json').send('"canary-secret"').then(),
        400,
      ],
      ['malformed URL', admin.api.get('/admin/connections/%FF').then(), 400],
      [
        'a list as body',
        admin.api
          .post('/admin/connections')
          .send([{ name: 'canary-secret' }])
          .then(),
        400,
      ],
      ['no body', admin.api.post('/admin/connections').then(), 400],
      ['form data', admin.api.post('/admin/connections').type('form').send({ name: 'canary-secret' }).then(), 415],
      ['text', admin.api.post('/admin/connections').type('text/plain').send('canary-secret').then(), 415],
      ['gzip', admin.api.post('/admin/connections').set('Content-Encoding', 'gzip').send({ name: 'x' }).then(), 415],
      ['a fault of ours', admin.api.get('/fails').then(), 500],
      ['a database that is away', admin.api.post('/loses-database').then(), 503],
      ['a deadlock', admin.api.post('/stands-in-the-way').then(), 503],
    ];
    for (const [name, call, status] of faults) {
      const answer = await call;
      expect([name, answer.status, answer.type]).toEqual([name, status, 'application/problem+json']);
      expect(answer.body).toMatchObject({
        type: expect.stringMatching(/^urn:problem-type:[a-z-]+$/) as string,
        title: expect.any(String) as string,
        status,
        detail: expect.any(String) as string,
        correlationId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      });
      expect(answer.text).not.toMatch(/canary|select|\.js|node_modules|10\.1\.2\.3|Error:/);
    }
  });

  it.each([
    ['null', 'null', 'The body must be one JSON object, not null.'],
    ['a list', '[{"name":"x"}]', 'The body must be one JSON object, not a list.'],
    ['a bare text', '"x"', 'The body must be one JSON object, not a string.'],
    ['a syntax error', '{"name" "canary"}', /^The body must be well-formed JSON: expected a colon .*position 8/],
    ['half an object', '{"name": "4111111111111111"', /^The body must be well-formed JSON: expected a comma or/],
    ['a field twice', '{"name":"x","name":"y"}', /^The body must be well-formed JSON: the key "name" occurs twice/],
    ['Latin-1', Buffer.from('{"name":"Zoë"}', 'latin1'), 'The body must be UTF-8.'],
  ])('says of a body that is %s what is wrong with it', async (_what, body, detail) => {
    const answer = await fetch(`${admin.url}/admin/connections`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
      body,
    });
    const problem: unknown = await answer.json();
    expect(problem).toMatchObject({
      status: 400,
      type: 'urn:problem-type:malformed-request',
      detail: typeof detail === 'string' ? detail : expect.stringMatching(detail),
    });
    expect(JSON.stringify(problem)).not.toMatch(/canary|4111/);
  });

  it('takes over a harmless correlation id and replaces any other', async () => {
    const kept = await admin.api.get('/admin/nothing').set('X-Correlation-Id', 'ticket-4711');
    expect(kept.body).toMatchObject({ correlationId: 'ticket-4711' });
    expect(kept.headers['x-correlation-id']).toBe('ticket-4711');
    const replaced = await admin.api.get('/admin/nothing').set('X-Correlation-Id', 'a b{}');
    expect(replaced.headers['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('takes a key with blanks in it, and no part of it', async () => {
    const key = 'correct horse battery staple admin key';
    const blanks = await startAdminApp([ConnectionsModule], { ADMIN_API_KEY: key });
    try {
      const status = async (authorization: string): Promise<number> =>
        (await blanks.anonymous.get('/admin/connections').set('Authorization', authorization)).status;
      expect(await status(`Bearer ${key}`)).toBe(200);
      expect(await status(`Bearer ${key.slice(0, -4)}`)).toBe(401);
    } finally {
      await blanks.close();
    }
  });

  it('reads no body of a GET, whose route may be open to everybody', async () => {
    const get = (path: string): PromiseLike<{ status: number }> =>
      admin.anonymous.get(path).set('Content-Type', 'application/json').send('{"half');
    expect((await get('/health/live')).status).toBe(200);
    expect((await get('/admin/connections')).status).toBe(401);
  });

  it('takes a body of no bytes, sent in chunks, for none', async () => {
    const { port } = new URL(admin.url);
    const socket = connect(Number(port), '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    socket.write(
      `POST /admin/connections HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ADMIN_KEY}\r\nConnection: close\r\n` +
        'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    );
    await once(socket, 'close');
    expect(text).toContain('"field":"name","message":"is required');
  });

  it('knows no query parameter __proto__ either where Node has taken that name away, as at the start of the gateway', async () => {
    const accessor = Object.getOwnPropertyDescriptor(Object.prototype, '__proto__');
    Reflect.deleteProperty(Object.prototype, '__proto__');
    try {
      expect((await admin.api.get('/admin/connections?__proto__=1')).status).toBe(400);
    } finally {
      Object.defineProperty(Object.prototype, '__proto__', { ...accessor });
    }
  });

  it('reads no body of a caller without a key, however wrong it is', async () => {
    const bodies: [string, string][] = [
      ['application/json', '{"name"'],
      ['application/json', JSON.stringify({ name: 'x'.repeat(1_000_001) })],
      ['text/plain', 'name'],
    ];
    for (const [type, body] of bodies) {
      const answer = await admin.anonymous.post('/admin/connections').type(type).send(body);
      expect([type, answer.status]).toEqual([type, 401]);
    }
  });

  it.each(Object.getOwnPropertyNames(Object.prototype))(
    'knows no field and no query parameter %s, as it knows none that is misspelt',
    async (name) => {
      const message = 'is not a field of this request: remove it or correct its spelling';
      const query = await admin.api.get(`/admin/connections?${name}=1`);
      expect(query.body).toMatchObject({ status: 400, errors: [{ field: name, message }] });
      const post = (text: string): PromiseLike<{ body: unknown }> =>
        admin.api.post('/admin/connections').set('Content-Type', 'application/json').send(text);
      for (const [field, body] of [
        [name, `{"${name}":1}`],
        [`settings.${name}`, `{"settings":{"${name}":1}}`],
      ] as const) {
        const hostile = ['__proto__', 'constructor'].includes(name);
        expect((await post(body)).body).toMatchObject(
          hostile
            ? { status: 400, detail: expect.stringContaining(`the key ${name} is not allowed`) as string }
            : { status: 400, errors: [{ field, message }] },
        );
      }
    },
  );

  it('answers 413 to a body over 1 MB and reads one just below', async () => {
    const body = (length: number): object => ({ name: 'x'.repeat(length) });
    const large = await admin.api.post('/admin/connections').send(body(1_000_001));
    expect([large.status, large.type]).toEqual([413, 'application/problem+json']);
    expect((await admin.api.post('/admin/connections').send(body(999_000))).status).toBe(400);
  });

  it.each([
    ['too large', '/admin/connections', 'application/json', ADMIN_KEY, 413],
    ['of a type that nobody reads', '/admin/accounts/import', 'application/json', ADMIN_KEY, 415],
    ['of a caller without a key', '/admin/connections', 'application/json', 'none', 401],
  ])(
    'answers a body that is %s also where the caller sends all of it before it listens',
    async (_what, path, type, key, status) => {
      const { port } = new URL(admin.url);
      const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined);
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n` +
          `Content-Type: ${type}\r\nContent-Length: 16000000\r\n\r\n`,
      );
      await new Promise((resolve) => socket.write(Buffer.alloc(16_000_000, 'x'), resolve));
      let text = '';
      socket.setEncoding('utf8').on('data', (part: string) => (text += part));
      await new Promise((resolve) => socket.once('close', resolve));
      expect(text).toContain(`HTTP/1.1 ${status} `);
      expect(text).toContain(`"status":${status},`);
    },
  );

  it('refuses nesting without end and prototype keys in a blink', async () => {
    const post = (text: string): PromiseLike<{ status: number }> =>
      admin.api.post('/admin/connections').set('Content-Type', 'application/json').send(text);
    const startedAt = performance.now();
    expect((await post(`{"settings":${'['.repeat(10_000)}${']'.repeat(10_000)}}`)).status).toBe(400);
    expect((await post(`{"settings":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`)).status).toBe(400);
    for (const key of ['__proto__', 'constructor', 'prototype']) {
      expect((await post(`{"settings":{"${key}":{"polluted":true}}}`)).status).toBe(400);
    }
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect({}).not.toHaveProperty('polluted');
  });

  it('answers thousands of query parameters or unknown fields with a bounded list of errors', async () => {
    const query = Array.from({ length: 10_000 }, (_, at) => `p${at}=1`)
      .join('&')
      .slice(0, 12_000);
    const answer = await admin.api.get(`/admin/connections?${query}`);
    expect(answer.status).toBe(400);
    expect((answer.body as { errors: unknown[] }).errors).toHaveLength(50);
    const fields = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`f${at}`, 1]));
    const body = await admin.api.post('/admin/connections').send(fields);
    expect((body.body as { errors: unknown[] }).errors).toHaveLength(50);
  });

  it.each([false, 0, 1e21, 'NaN', [], {}, null, ['x']])(
    'converts nothing: %j is refused for every field',
    async (value) => {
      const bodies: Record<string, string[]> = {
        '/admin/connections': ['name', 'provider', 'baseUrl'],
        '/admin/consents': ['connectionId', 'consentId', 'validUntil', 'frequencyPerDay', 'accessToken'],
        '/admin/accounts': ['consentId', 'currency', 'providerAccountId', 'accountExtId'],
      };
      for (const [path, fields] of Object.entries(bodies)) {
        const answer = await admin.api.post(path).send(Object.fromEntries(fields.map((field) => [field, value])));
        expect(answer.status).toBe(400);
        const named = (answer.body as { errors: { field: string }[] }).errors.map(({ field }) => field);
        const expected = fields.filter((field) => !(value === 'NaN' && FREE_TEXT.has(field)));
        expect(named).toEqual(expect.arrayContaining(expected));
      }
    },
  );
  const FREE_TEXT = new Set([
    'name',
    'provider',
    'baseUrl',
    'consentId',
    'accessToken',
    'providerAccountId',
    'accountExtId',
  ]);

  it('sends headers that keep browsers and caches out, and none that name the software', async () => {
    const { headers } = await admin.api.get('/admin/connections');
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
    });
    expect(headers).not.toHaveProperty('x-powered-by');
  });

  it('serves the OpenAPI 3.1 page and document to everybody on loopback', async () => {
    const document = await admin.anonymous.get('/docs-json');
    expect(document.body).toMatchObject({ openapi: '3.1.0' });
    expect(document.text).not.toContain('"nullable"');
    expect(document.body).toHaveProperty(['components', 'securitySchemes', 'adminKey'], {
      type: 'http',
      scheme: 'bearer',
      description: 'The admin key',
    });
    expect(document.body).toHaveProperty(
      ['components', 'schemas', 'ConnectionDto', 'properties', 'pauseReason', 'type'],
      ['string', 'null'],
    );
    const page = await admin.anonymous.get('/docs');
    expect(page.status).toBe(200);
    expect(page.headers['content-security-policy']).toContain("script-src 'self'");
    expect((await admin.anonymous.get('/docs/swagger-ui-bundle.js')).status).toBe(200);
  });

  it('wants the key for the OpenAPI page where others can reach the gateway', async () => {
    const reachable = await startAdminApp([ConnectionsModule], { HOST: '0.0.0.0' });
    try {
      for (const path of ['/docs', '/docs/', '/DOCS', '/docs-json', '/docs-yaml', '/docs/swagger-ui-init.js']) {
        const answer = await reachable.anonymous.get(path);
        expect([path, [401, 404].includes(answer.status)]).toEqual([path, true]);
      }
      expect((await reachable.anonymous.get('/docs-json')).status).toBe(401);
      expect((await reachable.api.get('/docs-json')).status).toBe(200);
    } finally {
      await reachable.close();
    }
  });

  it('documents every admin route with a summary and its errors', () => {
    const { paths } = openApiDocument(admin.app);
    for (const [path, methods] of Object.entries(paths).filter(([name]) => name.startsWith('/admin'))) {
      for (const [method, operation] of Object.entries(
        methods as Record<string, { summary?: string; responses: object }>,
      )) {
        expect([path, method, operation.summary]).toEqual([path, method, expect.any(String)]);
        expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['401', '500', '503']));
      }
    }
  });

  it('stays quick for others while hundreds of connections send their headers drop by drop', async () => {
    const { port } = new URL(admin.url);
    const sockets = Array.from({ length: 300 }, () => connect(Number(port), '127.0.0.1'));
    try {
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      for (const socket of sockets) socket.on('error', () => undefined).write('GET /health/live HTTP/1.1\r\nX-Slow: ');
      const startedAt = performance.now();
      expect((await admin.anonymous.get('/health/live')).status).toBe(200);
      expect(performance.now() - startedAt).toBeLessThan(1_000);
      const server = admin.app.getHttpServer();
      expect(server.headersTimeout).toBeLessThanOrEqual(10_000);
      expect(server.timeout).toBeLessThanOrEqual(120_000);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });
});
