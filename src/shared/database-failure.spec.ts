import { classifyDatabaseFailure, isConnectionLost, isDatabaseUnavailable } from './database-failure';

const withCode = (code: string): Error => Object.assign(new Error('of the database'), { code });

describe('classifyDatabaseFailure', () => {
  it.each([
    ['53100', 'full', false],
    ['53300', 'full', false],
    ['58030', 'full', false],
    ['57P01', 'unavailable', true],
    ['57P03', 'unavailable', true],
    ['08006', 'unavailable', true],
    ['25P03', 'unavailable', true],
    ['ECONNRESET', 'unavailable', true],
    ['25006', 'unavailable', false],
    ['57014', 'timeout', false],
    ['55P03', 'timeout', false],
    ['40001', 'conflict', false],
    ['23505', 'other', false],
    ['42P01', 'other', false],
  ])('reads %s as %s; session lost: %s', (code, failure, lost) => {
    const error = withCode(code);
    expect(classifyDatabaseFailure(error)).toBe(failure);
    expect(isConnectionLost(error)).toBe(lost);
    expect(isDatabaseUnavailable(error)).toBe(['unavailable', 'timeout', 'full'].includes(failure));
  });

  it('looks into what TypeORM and Node wrap', () => {
    expect(classifyDatabaseFailure(Object.assign(new Error(), { driverError: withCode('57P01') }))).toBe('unavailable');
    expect(classifyDatabaseFailure(new AggregateError([withCode('ECONNREFUSED')]))).toBe('unavailable');
  });

  it('knows nothing about errors that are not of the database', () => {
    for (const error of [new Error('no'), 'text', undefined, null, withCode('ERR_INVALID_ARG_TYPE')]) {
      expect(classifyDatabaseFailure(error)).toBe('other');
    }
  });
});
