import { claimDue, type ClaimRequest } from '../../../src/outbox/claim';
import { takeBackExpired } from '../../../src/outbox/settle';
import { DeliverySetting } from '../../support/delivery-setting';

describe('delivery', () => {
  const delivery = new DeliverySetting();
  const { startBench, enqueue, fault, sends, ledgerNumbers } = delivery;

  describe('that is interrupted', () => {
    test('between claim and send sends again, in doubt, and AMLYZE has the record once', async () => {
      const numbers = await enqueue(2);
      await claimAndDie();
      expect(await delivery.bench.turn()).toBe('idle');
      expect(await takeBackExpired(delivery.database)).toEqual({ attempts: 0, records: 0 });
      await delivery.rows.expireLeases();
      await takeBackExpired(delivery.database);
      await delivery.bench.drain();
      expect((await delivery.rows.all()).map(({ state, reason }) => [state, reason])).toEqual([
        ['accepted', null],
        ['accepted', null],
      ]);
      expect(await ledgerNumbers()).toEqual(numbers);
    });

    test("between answer and settle takes AMLYZE's refusal of the number as its acceptance", async () => {
      const numbers = await enqueue(2);
      await delivery.bench.drain();
      await forgetTheSettle();
      await delivery.rows.expireLeases();
      await takeBackExpired(delivery.database);
      await delivery.bench.drain();
      expect((await delivery.rows.all()).map(({ state, reason }) => [state, reason])).toEqual([
        ['accepted', 'replayed'],
        ['accepted', 'replayed'],
      ]);
      expect(await ledgerNumbers()).toEqual(numbers);
    });

    test('by a takeover while its call is under way changes nothing any more', async () => {
      const [number] = await enqueue(1);
      await fault({ match: { times: 1 }, do: { kind: 'latency', ms: 400 } });
      const slow = delivery.bench.turn();
      await eventuallySeen();
      await delivery.rows.expireLeases();
      await takeBackExpired(delivery.database);
      const other = await startBench();
      await other.drain();
      const stands = await delivery.rows.one();
      expect(stands).toMatchObject({ state: 'accepted', reason: 'replayed' });
      await slow;
      expect(await delivery.rows.one()).toEqual(stands);
      expect((await delivery.rows.log()).map(({ verdict, late }) => [verdict, late])).toEqual([
        ['in-doubt', false],
        ['accepted', true],
        ['accepted', false],
      ]);
      expect(await ledgerNumbers()).toEqual([number]);
    });

    test('by a shutdown gives back what is under way, in doubt and due at once, parts of a cut batch as such', async () => {
      const numbers = await enqueue(4);
      await fault({ match: { account: 'A1' }, do: { kind: 'reject-batch-containing' } });
      await delivery.bench.turn();
      await delivery.amlyze.clearFaults();
      await fault({ match: { times: 1 }, do: { kind: 'latency', ms: 400 } });
      const slow = delivery.bench.turn();
      await eventuallySeen();
      expect(await delivery.bench.service.giveBackInFlight()).toBe(1);
      const given = (await delivery.rows.all()).slice(0, 2);
      for (const record of given) {
        expect(record).toMatchObject({ state: 'pending', in_doubt: true, attempts: 0, attempt_id: null });
        expect(record.batch_group).not.toBeNull();
        expect(Number(record.due_in_ms)).toBeLessThanOrEqual(0);
      }
      expect((await delivery.rows.attempts()).map(({ outcome }) => outcome)).toEqual(['refused', 'given-back']);
      await slow;
      expect((await delivery.rows.all()).slice(0, 2).map(({ state }) => state)).toEqual(['pending', 'pending']);
      await delivery.bench.drain();
      expect(await delivery.rows.states()).toEqual({ accepted: 4 });
      expect(await ledgerNumbers()).toEqual(numbers);
    });

    /** A claim whose worker dies before it sends anything. */
    async function claimAndDie(): Promise<void> {
      const { channel, endpoint } = delivery.bench.lane;
      const dead: ClaimRequest = { channel, endpoint, replica: 'dead', limit: 10, leaseSeconds: 30 };
      expect((await claimDue(delivery.database, dead))?.records).toHaveLength(2);
    }

    /** The rows as a claim leaves them, while AMLYZE has the records already. */
    async function forgetTheSettle(): Promise<void> {
      await delivery.database.query(
        `with a as (insert into delivery_attempt (endpoint, records, replica, lease_until, record_ids)
  select 'balances', 2, 'dead', now() + interval '30 s', array_agg(id) from amlyze_record returning id)
update record_state set state = 'sending', in_doubt = true, claims = claims + 1, settled_at = null, next_attempt_at = now(),
  attempt_id = (select id from a)`,
      );
    }

    async function eventuallySeen(): Promise<void> {
      const before = (await sends()).length;
      for (const end = performance.now() + 5_000; performance.now() < end;) {
        if ((await ledgerNumbers()).length > 0 || (await sends()).length > before) return;
      }
      throw new Error('AMLYZE saw nothing');
    }
  });
});
