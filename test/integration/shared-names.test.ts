import { AccountsModule } from '../../src/accounts/accounts.module';
import { SharedNames } from '../../src/accounts/shared-names';
import { ConnectionsModule } from '../../src/connections/connections.module';
import { ConsentsModule } from '../../src/consents/consents.module';
import { Environment } from '../../src/config/environment';
import { StartProblem } from '../../src/shared/start-problem';
import { type AdminApp, startAdminApp } from '../support/admin-app';
import { type Registered, registerConsent, unique } from '../support/registry-data';

describe('with AMLYZE_BUSINESS_UNIT=LT an account without a unit and one of LT', () => {
  let admin: AdminApp;
  let registered: Registered;

  beforeAll(async () => {
    admin = await startAdminApp([ConnectionsModule, ConsentsModule, AccountsModule], { AMLYZE_BUSINESS_UNIT: 'LT' });
    registered = await registerConsent(admin);
  });
  afterAll(() => admin.close());

  const account = (accountExtId: string, businessUnit?: string): object => ({
    consentId: registered.consentId,
    providerAccountId: `iban-${unique()}`,
    currency: 'EUR',
    accountExtId,
    ...(businessUnit !== undefined && { businessUnit }),
  });
  const post = async (...given: [string, string?]): Promise<{ status: number; id: string; detail: string }> => {
    const { status, body } = await admin.api.post('/admin/accounts').send(account(...given));
    // An account has a status, too.
    return { ...(body as { id: string; detail: string }), status };
  };

  it.each([
    ['the one without', undefined, 'LT'],
    ['the one of LT', 'LT', undefined],
  ])('are one at AMLYZE: where %s came first, the other is refused', async (_, first, second) => {
    const name = `ext-${unique()}`;
    const { id } = await post(name, first);
    expect(await post(name, second)).toMatchObject({
      status: 409,
      conflictsWith: id,
      detail: `Account ${id} is the same account at AMLYZE: it has this accountExtId, and an account without a business unit is in that of AMLYZE_BUSINESS_UNIT.`,
    });
    expect((await post(name, 'EE')).status).toBe(201);
  });

  it('are refused in one call each at the same moment', async () => {
    for (let pair = 0; pair < 5; pair += 1) {
      const name = `ext-${unique()}`;
      const answers = await Promise.all([post(name), post(name, 'LT')]);
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    }
  });

  it('are not made one by PATCH; an account may get the unit by name that it has by the setting', async () => {
    const name = `ext-${unique()}`;
    const own = await post(name);
    const other = await post(name, 'EE');
    const patch = async (id: string, body: object): Promise<unknown> =>
      (await admin.api.patch(`/admin/accounts/${id}`).send({ ...body, reason: 'mistake' })).body;
    expect(await patch(other.id, { businessUnit: 'LT' })).toMatchObject({ status: 409, conflictsWith: own.id });
    expect(await patch(own.id, { businessUnit: 'LT' })).toMatchObject({ businessUnit: 'LT' });
  });

  it('are rejected lines of an import, also within one file', async () => {
    const [known, fresh] = [`ext-${unique()}`, `ext-${unique()}`];
    const { id } = await post(known, 'LT');
    const lines = [account(known), account(fresh), account(fresh, 'LT'), account(fresh, 'EE')];
    const answer = await admin.api
      .post('/admin/accounts/import')
      .set('Content-Type', 'application/x-ndjson')
      .send(lines.map((line) => JSON.stringify(line)).join('\n'));
    const shared = (message: unknown): object => [{ field: 'accountExtId', message }];
    expect(answer.body).toEqual({
      created: 2,
      updated: 0,
      rejected: [
        {
          line: 1,
          errors: shared(
            `is in use already, by account ${id}, which is the same account at AMLYZE: it has this accountExtId, and an account without a business unit is in that of AMLYZE_BUSINESS_UNIT`,
          ),
        },
        { line: 3, errors: shared(expect.stringContaining('the same account at AMLYZE')) },
      ],
    });
  });

  it('that were registered before the setting came keep the gateway from starting, until one is closed, and that from opening', async () => {
    const name = `ext-${unique()}`;
    const { id: unnamed } = await post(name);
    const { id: named } = await post(name, 'EE');
    const { database } = admin.testDatabase;
    const start = (amlyzeBusinessUnit?: string): Promise<void> =>
      new SharedNames(database, Object.assign(new Environment(), { amlyzeBusinessUnit })).onModuleInit();
    await start();
    await start('LT');
    const refused = await start('EE').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StartProblem);
    expect(String(refused)).toContain('AMLYZE_BUSINESS_UNIT: makes one account at AMLYZE');
    expect(String(refused)).toContain(`${unnamed} and ${named}`);

    await database.query(`update account set business_unit = 'LT' where id = $1`, [named]);
    await admin.api.delete(`/admin/accounts/${named}`);
    await start('LT');
    const opened = await admin.api.patch(`/admin/accounts/${named}`).send({ status: 'active' });
    expect(opened.body).toMatchObject({ status: 409, conflictsWith: unnamed });
  });
});
