import fc from 'fast-check';
import { holdsCardNumber, maskCardNumbers, maskDigits, passesLuhn } from './card-scan';
import { isIban } from './iban';

/** The schemes' published test numbers. */
const TEST_NUMBERS = [
  '4111111111111111',
  '4222222222222',
  '4720582145647937',
  '4111111111111111110',
  '5555555555554444',
  '2223003122003222',
  '378282246310005',
  '6011111111111117',
  '30569309025904',
  '36227206271667',
  '3566002020360505',
  '6200000000000005',
  '6759649826438453',
  '2201382000000013',
];

/** As it is embossed: groups of four, or four, six and the rest. */
function groupsOf(number: string): string[] {
  const divided = number.length < 16 ? /^(.{4})(.{6})(.+)$/ : /^(.{4})(.{4})(.{4})(.{4})(.*)$/;
  return (divided.exec(number) ?? []).slice(1).filter(Boolean);
}

/** With the check digits that make it one. */
function ibanOf(country: string, bban: string): string {
  for (let check = 2; check < 99; check += 1) {
    const iban = `${country}${String(check).padStart(2, '0')}${bban}`;
    if (isIban(iban)) return iban;
  }
  throw new Error(`${bban} has no check digits`);
}

describe('maskCardNumbers', () => {
  it.each(TEST_NUMBERS)('masks %s wherever it stands in a text', (number) => {
    const shown = `${number.slice(0, 6)}${'*'.repeat(number.length - 10)}${number.slice(-4)}`;
    const four = number.replace(/(.{4})(?=.)/g, '$1 ');
    expect(maskCardNumbers(number)).toBe(shown);
    expect(maskCardNumbers(`paid with ${number}.`)).toBe(`paid with ${shown}.`);
    expect(maskCardNumbers(`card${number}x`)).toBe(`card${shown}x`);
    expect(maskCardNumbers(`card ${four}, thanks`)).toBe(`card ${shown}, thanks`);
    expect(maskCardNumbers(four.replaceAll(' ', '-'))).toBe(shown);
    expect(maskCardNumbers(four.replaceAll(' ', '\u00a0'))).toBe(shown);
    expect(maskCardNumbers(four.replaceAll(' ', '\u2013'))).toBe(shown);
    expect(maskCardNumbers(`${number} ${number}`)).toBe(`${shown} ${shown}`);
    expect(maskCardNumbers(`${number} 12/26`)).not.toContain(number);
    expect(maskCardNumbers(`1 ${number}`)).not.toContain(number);
  });

  it('masks any undivided group of 13 to 19 digits that passes the Luhn check, and no other', () => {
    const group = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 11, maxLength: 21 });
    fc.assert(
      fc.property(group, (digits) => {
        const isCard = digits.length >= 13 && digits.length <= 19 && passesLuhn(digits);
        expect(maskCardNumbers(`x${digits}y`).includes(digits)).toBe(!isCard);
      }),
    );
  });

  it('masks divided groups only where they begin as a card of that length does', () => {
    expect(maskCardNumbers('1234567890123452')).toBe('123456******3452');
    expect(maskCardNumbers('1234 5678 9012 3452')).toBe('1234 5678 9012 3452');
  });

  it.each([
    ['a tab', '\t'],
    ['several blanks', '     '],
    ['several tabs', '\t\t\t'],
    ['no-break spaces', '\u00a0\u00a0\u00a0'],
    ['a narrow no-break space', '\u202f'],
    ['a blank, a dash and a blank', ' - '],
    ['a minus sign', '\u2212'],
    ['a soft hyphen', '\u00ad'],
    ['a zero width space', '\u200b'],
    ['a dot', '.'],
    ['a dot and a blank', '. '],
    ['a middle dot', '\u00b7'],
    ['a bullet', ' \u2022 '],
    ['a tab as JSON writes it', '\\t'],
    ['a tab as JSON in JSON writes it', '\\\\t'],
    ['no-break spaces as JSON writes them', '\\u00a0\\u202F'],
    ['a no-break space as HTML writes it', '&nbsp;'],
    ['the same in numbers', '&#160;&#xA0;'],
  ])('masks a number with %s between its groups', (_what, separator) => {
    for (const number of ['4111111111111111', '378282246310005', '4111111111111111110', '30569309025904']) {
      const written = groupsOf(number).join(separator);
      expect(maskCardNumbers(`card ${written}, thanks`)).toBe(`card ${maskDigits(number)}, thanks`);
      expect(maskCardNumbers(`"a":"${written} 12"`)).not.toContain(written);
      expect(holdsCardNumber(`ref ${written}`)).toBe(true);
    }
  });

  it('takes no amount with a point or with dots between its thousands for a card number', () => {
    const whole = fc.bigInt({ min: 0n, max: 10n ** 12n - 1n }).map(String);
    const fraction = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 10 });
    const point = fc.tuple(whole, fraction).map(([before, after]) => `${before}.${after}`);
    const dots = fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }).map((amount) => `${amount.toLocaleString('de-DE')},00`);
    fc.assert(
      fc.property(fc.oneof(point, dots), (amount) => maskCardNumbers(`${amount} EUR`) === `${amount} EUR`),
      { numRuns: 2_000 },
    );
  });

  it('takes no time and no address for a card number', () => {
    const time = fc
      .date({ min: new Date('1990-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString());
    const texts = fc.oneof(
      time,
      time.map((text) => text.replace('Z', '123456Z')),
      fc.ipV4(),
      fc.tuple(time, time).map((two) => two.join(' ')),
    );
    fc.assert(
      fc.property(texts, (text) => maskCardNumbers(text) === text),
      { numRuns: 2_000 },
    );
  });

  it('leaves an IBAN as it is, however its groups are divided', () => {
    const bban = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 12, maxLength: 27 });
    const separator = fc.constantFrom('', ' ', '\u00a0', '\t', '.', '  ', '-', '\\t');
    fc.assert(
      fc.property(bban, separator, (digits, between) => {
        const written = (ibanOf('LT', digits).match(/.{1,4}/g) ?? []).join(between);
        expect(maskCardNumbers(`from ${written}.`)).toBe(`from ${written}.`);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    '4111.1111 1111.1111',
    '4.111.111.111.111.111,00',
    '41111111.11111111',
    '4111,1111,1111,1111',
    '4111/1111/1111/1111',
    '4111.1111.1111 1111',
    'Invoice 02',
    '2024-08-16 13:00:00',
    'phone +370 600 12345',
    'LT12 1000 0111 0100 1000',
    'from LT121000011101001000 to DE89370400440532013000',
    'GB82 WEST 1234 5698 7654 32',
    'ES9121000418450200051332',
    '4111111111111112',
    '41111111111111111111111111111111',
    '',
  ])('leaves %j as it is', (text) => {
    expect(maskCardNumbers(text)).toBe(text);
  });

  it('masks a card number beside an IBAN, and one that only begins like an IBAN', () => {
    expect(maskCardNumbers('LT121000011101001000 4111111111111111')).toBe('LT121000011101001000 411111******1111');
    expect(maskCardNumbers('LT4111111111111111')).toBe('LT411111******1111');
  });

  it('needs no more than a moment for a long text of digits and blanks', () => {
    const text = '4 1'.repeat(50_000);
    const started = performance.now();
    maskCardNumbers(text);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe('holdsCardNumber', () => {
  it.each(TEST_NUMBERS)('finds %s in an identifier', (number) => {
    expect(holdsCardNumber(number)).toBe(true);
    expect(holdsCardNumber(`ref-${number}-1`)).toBe(true);
  });

  it.each(['1234567890123452', 'LT121000011101001000', '0000000000000000', 'Op_01', '4111111111111112'])(
    'takes %s for no card number',
    (identifier) => {
      expect(holdsCardNumber(identifier)).toBe(false);
    },
  );
});

describe('isIban', () => {
  it('knows the check digits', () => {
    expect(isIban('GB82WEST12345698765432')).toBe(true);
    expect(isIban('GB83WEST12345698765432')).toBe(false);
    expect(isIban('GB82')).toBe(false);
  });
});

describe('maskDigits', () => {
  it('keeps the length and shows nothing of a text shorter than a card number', () => {
    expect(maskDigits('41111111111')).toBe('***********');
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 12, maxLength: 19 });
    fc.assert(fc.property(digits, (text) => maskDigits(text).length === text.length));
  });
});
