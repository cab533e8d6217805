import { delivered, ledgerEnd, type Witness } from '../rig/gateway-round';
import { registered } from '../rig/registered';
import { peakRss, type Measure } from './measure';

const PENDING = 50_000;
const BATCH_MS = 223;
const BATCHES_AT_A_TIME = 2;
/** AMLYZE_BATCH_SIZE as it is by default. */
const BATCH_SIZE = 500;
const PERMITTED_PER_SECOND = (BATCHES_AT_A_TIME * BATCH_SIZE) / (BATCH_MS / 1000);

/** Records that are due when AMLYZE opens, against an AMLYZE that serves two batches at a time. */
export const saturated: Measure = {
  name: 'saturated',
  partOf: 'whole-run',
  async take(rig, options) {
    const installation = await registered(rig, PENDING);
    const gateway = await rig.startGateway(installation);
    const client = await rig.session(installation);
    await rig.peers.amlyze.control.call('POST', 'capacity', { concurrent: BATCHES_AT_A_TIME, msPerCall: BATCH_MS });
    const witness = { client, amlyze: rig.peers.amlyze.control };
    const rates: number[] = [];
    for (let n = 0; n < (options.rounds ?? 3); n += 1) rates.push(await deliverAll(witness));
    await client.end();
    return {
      voids: [],
      figures: [
        { name: 'AMLYZE that serves 2 batches at a time', unit: 'balances/s', rounds: rates },
        {
          name: 'share of 2 × 500 / 0.223 s',
          unit: '',
          rounds: rates.map((rate) => rate / PERMITTED_PER_SECOND),
          target: { atLeast: 0.95 },
        },
        peakRss([gateway.peakRssMb]),
      ],
    };
  },
};

/** One record for each account, all due with one commit. */
const MAKE_PENDING = `
with fresh as (
  select a.id, a.account_ext_id, 'saturated-' || gen_random_uuid() as number, clock_timestamp() as balance_at from account a
), made as (
  insert into amlyze_record (communication_number, kind, account_id, account_ext_id, balance_type, balance_at, value, payload)
  select number, 'balance', id, account_ext_id, 'STATEMENT_BALANCE', balance_at, 12.34,
    format('{"communicationNumber":"%s","requester":"open-banking-gateway","balanceType":"STATEMENT_BALANCE","accountExtId":"%s","balanceAt":"%s","value":12.34}',
      number, account_ext_id, to_char(balance_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
  from fresh returning id, account_id, balance_type, balance_at
)
insert into record_state (record_id, channel, account_id, balance_type, balance_at)
select id, 'balance', account_id, balance_type, balance_at from made`;

/** Records per second from the first call until all are accepted and logged. */
async function deliverAll(witness: Witness): Promise<number> {
  const { client, amlyze } = witness;
  const before = await ledgerEnd(amlyze);
  const { rows } = await client.query<{ last: string }>(
    'select coalesce(max(id), 0)::text as last from delivery_attempt',
  );
  await client.query(MAKE_PENDING);
  const doneMs = await delivered(witness, before + PENDING);
  const result = await client.query<{ accepted: number; began_ms: number }>(
    `select (extract(epoch from min(a.started_at)) * 1000)::float8 as began_ms, count(*)::int as accepted
from delivery_attempt a join delivery_result r on r.attempt_id = a.id where a.id > $1 and r.verdict = 'accepted'`,
    [rows[0]?.last],
  );
  const { accepted = 0, began_ms: beganMs = 0 } = result.rows[0] ?? {};
  if (accepted !== PENDING) throw new Error(`${accepted} of ${PENDING} records were accepted`);
  return accepted / ((doneMs - beganMs) / 1000);
}
