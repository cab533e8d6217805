import { answerText, errorWordsOf, logText } from './saying';

const X = 'x'.repeat(290);

describe('words of AMLYZE', () => {
  it.each([
    [`${X}, and more of them`, `${X}, and more…`],
    [`${'x'.repeat(299)}\u{1f4b6}`, `${'x'.repeat(299)}…`],
    [`${X} 1234567890`, `${X}…`],
    [`${X}1234567890 ends there`, `${X}…`],
    [`${X}1234567890, it ends there`, `${X}1234567890…`],
    [`${X}: 4111 1111 1111 1111`, `${X}:…`],
    [`${X}: 4111.1111.1111.1111`, `${X}:…`],
    [`${X}: 4111    1111    1111`, `${X}:…`],
    [`${X}: 41\\t1111111111111111`, `${X}:…`],
    [`${X}: 411111\\t11111111111`, `${X}:…`],
    [`${X}: 4111\\u00a01111`, `${X}:…`],
    [`${X}, the end. And more`, `${X}, the end…`],
    ['1'.repeat(301), '…'],
    ['1'.repeat(300), '1'.repeat(300)],
  ])('of %j the log has %j: no half of a character or of a number', (text, shown) => {
    expect(logText(text)).toBe(shown);
  });

  it('are kept up to 4000 characters, codes up to 200', () => {
    const digits = '1234567890';
    expect(errorWordsOf({ errorCode: `E ${digits.repeat(30)}`, errorDescription: `D${digits.repeat(401)}` })).toEqual({
      errorCode: 'E…',
      errorDescription: 'D…',
    });
    expect(answerText([`${'x'.repeat(3_995)}${digits}`])).toBe(`["${'x'.repeat(3_995)}…`);
  });
});
