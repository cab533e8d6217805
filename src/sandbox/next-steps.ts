import type { AdminApi } from './admin-api';
import type { AccountResult } from './compare';
import type { Simulators } from './processes';
import type { Paint } from './terminal';

interface Where {
  api: AdminApi;
  simulators: Simulators;
  logs: string;
  results: readonly AccountResult[];
  paint: Paint;
}

/** Addresses, the key, and three calls that can be pasted. */
export function nextStepLines({ api, simulators, logs, results, paint }: Where): string[] {
  const { mypos, onesingleview, amlyze } = simulators;
  const rows: [string, string][] = [
    ['API page', `${api.url}/docs`],
    ['readiness', `${api.url}/health/ready`],
    ['metrics', `${api.url}/metrics  (with the admin key)`],
    ['status', `${api.url}/admin/status  (with the admin key)`],
    ['simulators', `myPOS ${mypos.url}, OneSingleView ${onesingleview.url}, AMLYZE ${amlyze.url}`],
    ["AMLYZE's side", `${amlyze.url}/_sim/ledger, ${amlyze.url}/_sim/access-log`],
    ['logs', logs],
    ['admin key', api.key],
  ];
  return [
    '',
    paint('bold', 'Where to look next'),
    '',
    ...rows.map(([name, where]) => `  ${name.padEnd(15)}${paint('cyan', where)}`),
    ...calls(api, results, paint),
  ];
}

function calls(api: AdminApi, results: readonly AccountResult[], paint: Paint): string[] {
  const explained = pick(results, ['credit-line-clear', 'overdraft']);
  const resent = pick(results, ['overdraft', 'plain']);
  const previewed = pick(results, ['several-types', 'plain']);
  const curl = 'curl -s -H "Authorization: Bearer $KEY"';
  const post = `${curl} -H 'Content-Type: application/json'`;
  const force = { accountIds: [resent?.reading?.accountId], force: true, reason: 'trying the sandbox' };
  return [
    '',
    paint('bold', 'Three calls to try'),
    '',
    `  export KEY=${api.key}`,
    '',
    comment(paint, "from the bank's words to AMLYZE's: every step of one record", explained),
    `  ${curl} ${api.url}/admin/records/${explained?.record?.communicationNumber ?? ''}`,
    '',
    comment(paint, 'read again, and send under a new number although nothing changed', resent),
    `  ${post} ${api.url}/admin/resync -d '${JSON.stringify(force)}'`,
    '',
    comment(paint, 'what would be sent today for the stored answer; nothing is', previewed),
    `  ${post} ${api.url}/admin/accounts/${previewed?.reading?.accountId ?? ''}/preview -d '{"source":"stored"}'`,
  ];
}

function comment(paint: Paint, text: string, result: AccountResult | undefined): string {
  const why = result === undefined ? '' : ` (${result.account.accountExtId}: ${result.account.foreseen.why})`;
  return paint('dim', `  # ${text}${why}`);
}

/** The first account of one of these kinds that has a record, else any that has one. */
function pick(results: readonly AccountResult[], kinds: readonly string[]): AccountResult | undefined {
  const sent = results.filter(({ record }) => record !== undefined);
  const liked = kinds.map((kind) => sent.find(({ account }) => account.kind === kind));
  return liked.find((result) => result !== undefined) ?? sent[0];
}
