import { readRefusal } from './bank-refusal';

describe('readRefusal', () => {
  it('reads every message that is no warning, in any of the spellings', () => {
    const body = JSON.stringify({
      Code: '400 BadRequest',
      Errors: [{ ErrorCode: 'UK.OBIE.Field.Missing', Message: 'one' }],
      tppMessages: [
        { category: 'WARNING', code: 'IGNORED' },
        { category: 'ERROR', code: 'FORMAT_ERROR', text: 'two' },
      ],
      error: { error_code: 7, error_description: 'three' },
    });
    const { form, codes, text } = readRefusal(400, body);
    expect(form).toBe('json');
    expect(codes).toEqual(['400 BadRequest', 'UK.OBIE.Field.Missing', 'FORMAT_ERROR', '7']);
    expect(text).toBe('one; two; three');
  });

  it('puts text on one line and cuts it, so that no log can be forged or flooded', () => {
    const { text } = readRefusal(500, `first\r\nsecond\u001b[31m ${'x'.repeat(10_000)}`);
    expect(text).toMatch(/^first second \[31m x+$/);
    expect(text).toHaveLength(1000);
  });

  it('reads what a page shows, not its scripts', () => {
    const page = '<!DOCTYPE html><script>var token="invalid"</script><h1>Bad</h1>\n<p>Request</p>';
    expect(readRefusal(400, page)).toEqual({ status: 400, form: 'html', codes: [], text: 'Bad Request' });
  });

  it.each(['', '  \n'])('calls a body without content empty', (body) => {
    expect(readRefusal(401, body)).toEqual({ status: 401, form: 'empty', codes: [], text: '' });
  });

  it('survives JSON that is deep, doubled or no object', () => {
    expect(readRefusal(400, '['.repeat(1000)).form).toBe('text');
    expect(readRefusal(400, '{"code":"A","code":"B"}').codes).toEqual([]);
    expect(readRefusal(400, '"TOKEN_EXPIRED"').codes).toEqual([]);
  });
});
