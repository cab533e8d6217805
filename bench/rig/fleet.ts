import { connectBank, tellPeers } from './accounts';
import type { BenchRig } from './bench-rig';
import type { Installation } from './gateway';

const CONNECTIONS = 20;

export interface FleetSize {
  registered: number;
  /** The rest is on paused connections. */
  due: number;
}

/** Accounts first to last on one consent: what an import writes, without its checks. */
const REGISTER = `
with subject as (
  insert into access_subject (consent_id, provider_account_id) select $1, '5004' || lpad(n::text, 7, '0') from generate_series($2::int, $3::int) n
  returning id, provider_account_id
)
insert into account (connection_id, consent_id, subject_id, provider_account_id, currency, account_ext_id, pinned_types)
select c.connection_id, c.id, s.id, s.provider_account_id, 'EUR', 'MP-' || right(s.provider_account_id, 7), '{"STATEMENT_BALANCE": "available"}'
from subject s, consent c where c.id = $1`;

/** An installation with many accounts, most of them on connections that an operator has paused. */
export async function makeFleet(rig: BenchRig, { registered, due }: FleetSize): Promise<Installation> {
  await tellPeers(rig.peers, due);
  const installation = await rig.install();
  const gateway = await rig.startGateway(installation);
  const client = await rig.session(installation);
  // Keys of the filling are not what is measured.
  await client.query('set session_replication_role = replica');
  const baseUrl = rig.peers.mypos.control.url;
  const active = await connectBank(gateway, { name: 'active', baseUrl });
  await client.query(REGISTER, [active.consentId, 1, due]);
  const share = Math.ceil((registered - due) / (CONNECTIONS - 1));
  for (let first = due + 1; first <= registered; first += share) {
    const { connectionId, consentId } = await connectBank(gateway, { name: `paused from ${first} on`, baseUrl });
    await gateway.ok('PATCH', `/admin/connections/${connectionId}`, { status: 'paused', reason: 'bench' });
    await client.query(REGISTER, [consentId, first, Math.min(first + share - 1, registered)]);
  }
  await gateway.stop();
  await client.query('vacuum analyze');
  await client.end();
  return installation;
}
