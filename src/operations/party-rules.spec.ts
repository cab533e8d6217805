import { CREDITOR, DEBTOR, operationInput, rules, withParties, type Given } from '../../test/support/operation-input';
import type { JsonValue } from '../shared/json';
import type { OperationRules } from './operation';
import { Pan } from './pan';
import { validateOperation } from './validate-operation';

function errorsOf(input: JsonValue, changes: Partial<OperationRules> = {}): string[] {
  const check = validateOperation(input, rules(changes));
  return check.ok ? [] : check.errors.map(({ message }) => message);
}

function warningsOf(input: JsonValue): string[] {
  const check = validateOperation(input, rules());
  if (!check.ok) throw new Error(check.errors.map(({ message }) => message).join());
  return check.warnings.map(({ message }) => message);
}

const parties = (...list: Given[]): JsonValue => operationInput({ listOperationParty: list });
const ULTIMATE = { partyRole: 'ULTIMATE_DEBTOR', entityType: 'ORGANIZATION', title: 'Holding' };
const without = (party: Readonly<Record<string, Given>>, ...names: string[]): Record<string, Given> => ({
  ...party,
  ...Object.fromEntries(names.map((name) => [name, undefined])),
});

describe('the list of parties', () => {
  it('has two, three or four, in any order', () => {
    expect(errorsOf(parties(DEBTOR, CREDITOR))).toEqual([]);
    expect(errorsOf(parties(CREDITOR, ULTIMATE, DEBTOR))).toEqual([]);
    expect(errorsOf(parties(CREDITOR, DEBTOR, ULTIMATE, { ...ULTIMATE, partyRole: 'ULTIMATE_CREDITOR' }))).toEqual([]);
  });

  it.each<[string, Given[], string]>([
    ['none', [], 'must be a list of 1 to 4 parties, but is a list of 0'],
    ['five', [CREDITOR, DEBTOR, ULTIMATE, ULTIMATE, ULTIMATE], 'must be a list of 1 to 4 parties, but is a list of 5'],
    ['a creditor alone', [CREDITOR], 'must have exactly one DEBTOR, but is a list with none'],
    ['a debtor alone', [DEBTOR], 'must have exactly one CREDITOR, but is a list with none'],
    ['two creditors', [CREDITOR, CREDITOR, DEBTOR], 'must have exactly one CREDITOR, but is a list with 2'],
    ['three debtors', [CREDITOR, DEBTOR, DEBTOR, DEBTOR], 'must have exactly one DEBTOR, but is a list with 3'],
    ['ultimate ones only besides', [CREDITOR, ULTIMATE], 'must have exactly one DEBTOR, but is a list with none'],
  ])('is refused with %s', (_title, list, ending) => {
    expect(errorsOf(parties(...list))).toEqual([`listOperationParty ${ending}`]);
  });

  it('is refused where it is no list, or an element no object', () => {
    expect(errorsOf(operationInput({ listOperationParty: CREDITOR }))).toEqual([
      'listOperationParty must be a list of 1 to 4 parties, but is an object',
    ]);
    expect(errorsOf(parties(CREDITOR, DEBTOR, 'x'))).toEqual([
      'listOperationParty[2] must be a JSON object, but is a text of 1 characters',
    ]);
  });

  it('does not ask for a role that a party with a misspelt one may have', () => {
    expect(errorsOf(parties(CREDITOR, { ...DEBTOR, partyRole: 'DEBITOR' }))).toEqual([
      'listOperationParty[1].partyRole must be one of DEBTOR, CREDITOR, ULTIMATE_DEBTOR, ULTIMATE_CREDITOR, ' +
        'but is a text of 7 characters',
    ]);
  });
});

describe('a party', () => {
  it.each<[string, Given[], RegExp]>([
    ['partyRole', ['PAYER', 1, undefined, null], /^listOperationParty\[1\]\.partyRole (must be one of|is mandatory)/],
    ['entityType', ['COMPANY', 'individual', undefined], /\[1\]\.entityType (must be one of|is mandatory)/],
    ['accountNumber', [undefined, '', 5, 'x'.repeat(256), ' a'], /\[1\]\.accountNumber (must be|is mandatory)/],
    ['accountExtId', [null, 5, 'x'.repeat(256)], /\[1\]\.accountExtId must be/],
    ['bic', ['AGBLLT2', 'agbllt2x', 'AGBL12LT', 'AGBLLT2XXXXX', 5], /\[1\]\.bic must be a BIC of 8 or 11/],
    ['currency', ['eur', 'XXX', 5], /\[1\]\.currency must be/],
    ['country', ['ESP', 'XX', 5], /\[1\]\.country must be/],
    ['bankTitle', ['', 5, 'x'.repeat(1001)], /\[1\]\.bankTitle must be/],
    ['address', ['', 5, 'x'.repeat(1001)], /\[1\]\.address must be/],
    ['title', [undefined, '', 5, 'x'.repeat(1001)], /\[1\]\.title (must be|is mandatory)/],
    ['identifier', ['', 5, 'x'.repeat(256)], /\[1\]\.identifier must be/],
    [
      'accountnumber',
      ['x'],
      /\[1\]\.accountnumber is no field of AMLYZE here: the nearest known name is accountNumber/,
    ],
  ])('has a %s that is right, or one message', (name, values, message) => {
    for (const value of values) {
      expect(errorsOf(withParties({}, { [name]: value }))).toEqual([expect.stringMatching(message)]);
    }
  });

  it('takes every field of its own', () => {
    const all = {
      accountExtId: 'acc-1',
      bic: 'AGBLLT2XXXX',
      currency: 'EUR',
      bankTitle: 'Bank',
      address: 'Street 1\nTown',
      country: 'LT',
      identifier: '39001010000',
    };
    expect(errorsOf(withParties(all, { ...all, firstName: 'A', lastName: 'B' }))).toEqual([]);
  });

  it.each(['CREDITOR', 'DEBTOR'])('needs an accountNumber as %s, also where it has an accountExtId', (role) => {
    const at = role === 'CREDITOR' ? 0 : 1;
    const changed = [
      { ...CREDITOR, accountExtId: 'a' },
      { ...DEBTOR, accountExtId: 'a' },
    ].map((party, index) => (index === at ? without(party, 'accountNumber') : party));
    expect(errorsOf(parties(...changed))).toEqual([
      `listOperationParty[${at}].accountNumber is mandatory where partyRole is ${role}, but is absent`,
    ]);
  });

  it('has both names or none', () => {
    expect(errorsOf(withParties({ lastName: undefined }))).toEqual([
      'listOperationParty[0].lastName is mandatory beside firstName, but is absent',
    ]);
    expect(errorsOf(withParties({}, { lastName: 'Rodrigues' }))).toEqual([
      'listOperationParty[1].firstName is mandatory beside lastName, but is absent',
    ]);
  });

  it('has a title unless it is an INDIVIDUAL with both names', () => {
    const names = { firstName: 'Eduardo', lastName: 'Rodrigues', title: undefined };
    expect(errorsOf(withParties({}, { entityType: 'INDIVIDUAL', ...names }))).toEqual([]);
    expect(errorsOf(withParties({}, { entityType: 'ORGANIZATION', ...names }))).toEqual([
      'listOperationParty[1].title is mandatory where entityType is ORGANIZATION, but is absent',
    ]);
    expect(errorsOf(withParties({}, { entityType: 'UNKNOWN', title: undefined }))).toEqual([
      'listOperationParty[1].title is mandatory where entityType is UNKNOWN, but is absent',
    ]);
    expect(errorsOf(withParties({}, { entityType: 'INDIVIDUAL', title: undefined }))).toEqual([
      'listOperationParty[1].title is mandatory for an INDIVIDUAL without firstName and lastName, but is absent',
    ]);
  });

  it.each(['ULTIMATE_DEBTOR', 'ULTIMATE_CREDITOR'])(
    'needs as %s no account, but something that identifies it',
    (partyRole) => {
      expect(errorsOf(parties(CREDITOR, DEBTOR, { ...ULTIMATE, partyRole }))).toEqual([]);
      const nameless = { partyRole, entityType: 'INDIVIDUAL' };
      const messages = errorsOf(parties(CREDITOR, DEBTOR, nameless));
      expect(messages).toContain(
        `listOperationParty[2].identifier is mandatory for ${partyRole} where nothing else identifies the party, but is absent`,
      );
      const identified = errorsOf(parties(CREDITOR, DEBTOR, { ...nameless, identifier: '39001010000' }));
      expect(identified).toEqual([expect.stringContaining('[2].title is mandatory')]);
    },
  );
});

describe('the direction', () => {
  const bare = without(CREDITOR, 'bic');

  it.each([
    ['INCOMING', 'CREDITOR', { bic: 'AGBLLT2X' }],
    ['OUTGOING', 'DEBTOR', { bic: 'AGBLLT2X' }],
    ['INCOMING', 'CREDITOR', { accountExtId: 'acc-1' }],
    ['OUTGOING', 'DEBTOR', { accountExtId: 'acc-1' }],
  ])(
    '%s makes the %s your customer: %j there fits, and with the other party alone is refused',
    (direction, role, mark) => {
      const own = role === 'CREDITOR' ? [{ ...bare, ...mark }, DEBTOR] : [bare, { ...DEBTOR, ...mark }];
      const others = role === 'CREDITOR' ? [bare, { ...DEBTOR, ...mark }] : [{ ...bare, ...mark }, DEBTOR];
      const build = (list: Given[]): JsonValue =>
        operationInput({ financialFlowDirection: direction, listOperationParty: list });
      expect(errorsOf(build(own))).toEqual([]);
      expect(warningsOf(build(own))).toEqual([]);
      expect(errorsOf(build(others))).toEqual([
        expect.stringMatching(
          new RegExp(
            `^financialFlowDirection must fit the parties, but is ${direction}: your customer is then the ${role}`,
          ),
        ),
      ]);
    },
  );

  it('cannot be judged where both parties have a bic: both may be with the institution', () => {
    const both = withParties({}, { bic: 'AGBLLT2X' });
    expect(errorsOf(both)).toEqual([]);
    expect(warningsOf(both)).toEqual([]);
  });

  it('is left to AMLYZE with a warning where no party has a bic or accountExtId', () => {
    expect(warningsOf(parties(DEBTOR, bare))).toEqual([
      'listOperationParty[1] has neither bic nor accountExtId: AMLYZE may not find the account of your customer, the CREDITOR',
    ]);
  });

  it('forbids UNKNOWN for your customer and allows it for the counterparty', () => {
    expect(errorsOf(withParties({ entityType: 'UNKNOWN', title: 'Somebody' }))).toEqual([
      'listOperationParty[0].entityType must not be UNKNOWN for your customer, but is (INCOMING: the CREDITOR)',
    ]);
    expect(errorsOf(withParties({}, { entityType: 'UNKNOWN' }))).toEqual([]);
  });
});

describe('card data', () => {
  const encrypt = { cardData: 'encrypt' } as const;
  const card = { cardNumber: '4720582145647937', cardValidTill: '2025-06-07', cardHolderName: 'Eduardo Rodrigues' };

  it.each(Object.entries(card))('%s is refused unless the installation encrypts it', (name, value) => {
    expect(errorsOf(withParties({ [name]: value }))).toEqual([
      `listOperationParty[0].${name} must be left out: card data is refused unless CARD_DATA=encrypt, ` +
        `but is a text of ${value.length} characters`,
    ]);
  });

  it('is taken where the installation encrypts it, the number as a Pan', () => {
    const check = validateOperation(withParties(card), rules(encrypt));
    if (!check.ok) throw new Error('refused');
    const [party] = check.operation.listOperationParty;
    expect(party?.cardNumber).toBeInstanceOf(Pan);
    expect(party?.cardNumber?.reveal()).toBe(card.cardNumber);
    expect(JSON.stringify(check)).not.toContain(card.cardNumber);
  });

  it.each<[string, string | number]>([
    ['cardNumber', '4720582145647938'],
    ['cardNumber', '4720 5821 4564 7937'],
    ['cardNumber', '47205821456'],
    ['cardNumber', 4720582145647937],
    ['cardNumber', '472058******7937'],
    ['cardNumber', '4'.repeat(20)],
    ['cardValidTill', '06/25'],
    ['cardValidTill', '2026-06'],
    ['cardValidTill', '2026-06-31'],
    ['cardValidTill', 2026],
    ['cardHolderName', 5],
    ['cardHolderName', 'x'.repeat(1001)],
  ])('is refused even then as %s %j, and not repeated', (name, value) => {
    const messages = errorsOf(withParties({ [name]: value }), encrypt);
    expect(messages).toEqual([
      expect.stringMatching(new RegExp(`^listOperationParty\\[0\\]\\.${name} must be .+, but is `)),
    ]);
    expect(messages[0]).not.toContain(String(value));
  });
});

describe('a card number where none belongs', () => {
  const PLANTED = '4111111111111111';
  const TEXTS = ['description', 'merchantDescription', 'merchantName'];
  const PARTY_TEXTS = ['bankTitle', 'address', 'title', 'firstName', 'lastName'];
  const IDS =
    'operationExtId requester businessUnit terminalExtId terminalCode merchantExtId merchantCode salesPointExtId ipAddress';
  const PARTY_IDS = ['accountNumber', 'accountExtId', 'identifier'];

  it.each(TEXTS)('is masked in %s, with a warning', (name) => {
    const check = validateOperation(operationInput({ [name]: `by card 4111 1111 1111 1111 today` }), rules());
    expect(check).toMatchObject({ ok: true, operation: { [name]: 'by card 411111******1111 today' } });
    expect(check).toMatchObject({
      warnings: [{ field: name, message: `${name} held a card number, which is masked` }],
    });
  });

  it.each(PARTY_TEXTS)("is masked in a party's %s, with a warning", (name) => {
    const check = validateOperation(withParties({ [name]: PLANTED }), rules());
    expect(check).toMatchObject({ ok: true, warnings: [{ field: `listOperationParty[0].${name}` }] });
    expect(JSON.stringify(check)).not.toContain(PLANTED);
  });

  it.each(IDS.split(' '))('is refused in %s, which cannot be masked', (name) => {
    const messages = errorsOf(operationInput({ [name]: `a-${PLANTED}` }));
    expect(messages).toEqual([expect.stringMatching(new RegExp(`^${name} must not hold a card number`))]);
    expect(messages[0]).not.toContain(PLANTED);
  });

  it.each(PARTY_IDS)("is refused in a party's %s", (name) => {
    const messages = errorsOf(withParties({ [name]: PLANTED }));
    expect(messages).toEqual([expect.stringMatching(new RegExp(`\\.${name} must not hold a card number`))]);
  });

  it('is never in the answer, whatever field holds it', () => {
    const { listOperationParty: _, ...fields } = operationInput({
      action: 'CREATE',
      communicationNumber: 'c',
      amountInEuro: 5,
    });
    for (const value of [PLANTED, [PLANTED], { [PLANTED]: PLANTED }]) {
      for (const name of Object.keys(fields)) {
        const check = validateOperation(operationInput({ [name]: value }), rules());
        // An amount of that many digits is an amount.
        if (check.ok && name === 'amount') continue;
        expect(JSON.stringify(check)).not.toContain(PLANTED);
      }
      for (const name of Object.keys({ ...CREDITOR, title: 1, cardNumber: 1, cardHolderName: 1, identifier: 1 })) {
        expect(JSON.stringify(validateOperation(withParties({ [name]: value }), rules()))).not.toContain(PLANTED);
      }
    }
  });
});
