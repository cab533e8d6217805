import { splitLines } from '../../admin/imports/split-lines';
import { ApiProblem } from '../../shared/problem';
import { readCsv, type ReadLine, readNdjson } from './read-lines';

const ACCOUNT = { consentId: '3', providerAccountId: 'iban', currency: 'EUR', accountExtId: 'ext' };
const HEADER = 'consentId,providerAccountId,currency,accountExtId,businessUnit';

async function collect(read: typeof readCsv, ...lines: string[]): Promise<ReadLine[]> {
  async function* source(): AsyncGenerator<Buffer> {
    yield Promise.resolve(Buffer.from(lines.join('\n')));
  }
  const found: ReadLine[] = [];
  for await (const line of read(splitLines(source()))) found.push(line);
  return found;
}

const fields = (line: ReadLine | undefined): string[] =>
  line && 'errors' in line ? line.errors.map(({ field }) => field) : [];

describe('readNdjson', () => {
  it('reads an account a line and skips empty lines without losing count', async () => {
    const text = JSON.stringify(ACCOUNT);
    expect(await collect(readNdjson, text, '', '  ', text)).toEqual([
      { line: 1, account: ACCOUNT },
      { line: 4, account: ACCOUNT },
    ]);
  });

  it.each(['null', '[]', '"text"', '7'])('refuses %s as a line', async (text) => {
    const [line] = await collect(readNdjson, text);
    expect(line).toEqual({ line: 1, errors: [{ field: '', message: 'must be one JSON object' }] });
  });

  it.each([
    ['{"consentId":', 'the text ends early (position 13)'],
    ['NaN', 'expected a value (position 0)'],
    ['{}{}', 'text after the end of the JSON value (position 2)'],
    ['{"currency":"EUR","currency":"USD"}', 'the key "currency" occurs twice in one object (position 18)'],
    ['{"__proto__":{}}', 'the key __proto__ is not allowed (position 1)'],
    ['{"4111111111111111":1,"4111111111111111":2}', expect.not.stringContaining('4111111111111111') as string],
  ])('refuses %s as a line and says why', async (text, why) => {
    const message: unknown = typeof why === 'string' ? `must be one well-formed JSON object: ${why}` : why;
    expect(await collect(readNdjson, text)).toEqual([{ line: 1, errors: [{ field: '', message }] }]);
  });

  it('names every field that is missing, unknown or wrong', async () => {
    const [line] = await collect(
      readNdjson,
      '{"consentId":3,"currency":"XXX","accountExtId":"a\\u0000","iban":"x","toString":{}}',
    );
    expect(fields(line)).toEqual(['consentId', 'providerAccountId', 'currency', 'accountExtId', 'iban', 'toString']);
  });
});

describe('readCsv', () => {
  it('reads columns in the order of the header row, quotes, and an empty cell as an absent field', async () => {
    const lines = await collect(
      readCsv,
      'accountExtId,currency,businessUnit,consentId,providerAccountId',
      'ext,EUR,,3,iban',
      '"a,""b""",EUR,LT,3,"iban"',
    );
    expect(lines).toEqual([
      { line: 2, account: ACCOUNT },
      { line: 3, account: { ...ACCOUNT, accountExtId: 'a,"b"', businessUnit: 'LT' } },
    ]);
  });

  it('keeps a forgotten quote or a missing cell to its own line', async () => {
    const lines = await collect(readCsv, HEADER, '3,"iban,EUR,ext,', '3,iban,EUR', '3,iban,EUR,ext,', '3,x"y,EUR,ext,');
    expect(lines.map((line) => ('account' in line ? 'good' : line.line))).toEqual([2, 3, 'good', 5]);
  });

  it.each([
    ['', 'an empty file'],
    ['consentId;providerAccountId;currency;accountExtId', 'semicolons'],
    ['consentId,providerAccountId,currency', 'a missing field'],
    [`${HEADER},iban`, 'an unknown field'],
    [`${HEADER},currency`, 'a repeated field'],
    ['3,iban,EUR,ext,', 'no header row'],
  ])('refuses the whole file where the header row is %j (%s)', async (header) => {
    await expect(collect(readCsv, header, '3,iban,EUR,ext,')).rejects.toThrow(ApiProblem);
  });

  it.each([
    ['consentId;currency', 'its field 1 is none of these; commas have to stand between them'],
    [`${HEADER},iban`, 'its field 6 is none of these'],
    ['consentId,currency', 'providerAccountId, accountExtId are missing'],
    ['consentId,"currency', 'its quotes do not add up'],
    ['x'.repeat(70_000), 'it must not be longer than 65536 bytes'],
  ])('says what is wrong with a header row, case %#', async (header, fault) => {
    await expect(collect(readCsv, header)).rejects.toMatchObject({
      errors: [{ field: 'line 1', message: expect.stringMatching(new RegExp(`: ${fault}$`)) }],
    });
  });
});
