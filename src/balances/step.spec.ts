import { stepOf } from './step';

const sign = stepOf('sign');
const say = (amount: string, value: string) => sign`Amount ${amount} carries its own sign: ${value}.`;

describe('a step', () => {
  it('reads as the sentence it was written as, whatever the figures are', () => {
    expect(say('12.30', '12.30').text).toBe('Amount 12.30 carries its own sign: 12.30.');
    expect(say('', '${x}').text).toBe('Amount  carries its own sign: ${x}.');
    expect(sign`No figures.`.text).toBe('No figures.');
    expect(sign`${1} of ${2}`.text).toBe('1 of 2');
  });

  it('has the rule, the words without the figures, and the figures as text', () => {
    expect(say('1', '2')).toMatchObject({
      rule: 'sign',
      words: ['Amount ', ' carries its own sign: ', '.'],
      figures: ['1', '2'],
    });
    expect(sign`${7}`.figures).toEqual(['7']);
  });

  it('has the very same words for every read', () => {
    expect(say('1', '2').words).toBe(say('3', '4').words);
  });
});
