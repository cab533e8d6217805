import { JsonNumber } from '../json';
import { readJson } from './read-json';
import type { Answer } from './types';

describe('readJson', () => {
  function answer(body: string, contentType = 'application/json', status = 200): Answer {
    return { kind: 'answer', status, headers: {}, contentType, body, latencyMs: 1 };
  }

  it.each([
    'application/json',
    'Application/JSON; charset=utf-8',
    'application/problem+json',
    'application/vnd.bank.v1+json',
    'text/json',
  ])('reads a body labelled %s, with its digits kept', (contentType) => {
    const reading = readJson(answer('{"amount":4.200}', contentType));
    expect(reading.ok && reading.value).toEqual({ amount: new JsonNumber('4.200') });
  });

  it.each([
    ['<!DOCTYPE html><title>Sign in</title>', 'text/html; charset=utf-8', 'HTML in place of JSON with status 200'],
    ['<html><body>Sign in</body></html>', 'application/json', 'HTML labelled as JSON, status 200'],
    ['{"a":1}', 'text/plain', 'the content type text/plain in place of JSON with status 200'],
    ['{"a":1}', '', 'a body without a usable content type in place of JSON with status 200'],
    ['{"a":1}', 'application/json-seq', 'the content type application/json-seq in place of JSON with status 200'],
    ['', 'application/json', 'an empty body with status 200'],
    [' \n', 'text/html', 'an empty body with status 200'],
  ])('says what %j with type %j is instead', (body, contentType, problem) => {
    expect(readJson(answer(body, contentType))).toEqual({ ok: false, problem });
  });

  it.each(['{"amount":', '{"a":1}{"a":2}', '{"a":1,"a":2}', '\uFEFF{}', 'NaN'])('refuses the text %j', (body) => {
    const reading = readJson(answer(body));
    expect(reading.ok ? '' : reading.problem).toMatch(/^no usable JSON: .+, status 200$/);
  });

  it('refuses more values than the caller wants', () => {
    const body = '{"a":[1,{}]}';
    expect(readJson(answer(body), { maxValues: 4 }).ok).toBe(true);
    expect(readJson(answer(body), { maxValues: 3 })).toEqual({
      ok: false,
      problem: 'no usable JSON: more than 3 values (position 8), status 200',
    });
  });
});
