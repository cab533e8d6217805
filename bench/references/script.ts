/**
 * What one would write in an afternoon: account after account, ask the bank, tell AMLYZE, note it down. Nothing is durable
 * before the call, and whoever restarts it after a crash does not know what was sent.
 */
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { PLANNER_OPTIONS } from '../../src/database/planner-options';
import { Calls, payloadOf } from './calls';
import { serve, settings } from './serve';

const { bankUrl, amlyzeUrl, databaseUrl } = settings();
const calls = new Calls(bankUrl, amlyzeUrl);
const database = new Client({ connectionString: databaseUrl, options: PLANNER_OPTIONS.join(' ') });

const ACCOUNTS = `select provider_account_id as number, account_ext_id as name from account order by id limit $1`;
const NOTE = {
  name: 'note',
  text: `insert into script_balance (account, communication_number, balance_at, value, bank_answer, amlyze_answer) values ($1, $2, $3, $4, $5, $6)`,
};

void (async () => {
  await database.connect();
  await database.query(
    `create table script_balance (id bigint generated always as identity primary key, account text not null, communication_number text not null,
balance_at timestamptz not null, value numeric not null, bank_answer text not null, amlyze_answer text not null)`,
  );
  serve(async ({ accounts }) => {
    const { rows } = await database.query<{ number: string; name: string }>(ACCOUNTS, [accounts]);
    return async () => {
      for (const { number, name } of rows) {
        const communicationNumber = `script-${randomUUID()}`;
        const { value, fetchedAt, body } = await calls.balance(number, randomUUID());
        const payload = payloadOf({ communicationNumber, accountExtId: name, balanceAt: fetchedAt, value });
        const answer = await calls.single(payload);
        await database.query({ ...NOTE, values: [name, communicationNumber, fetchedAt, value, body, answer.body] });
      }
      return rows.length;
    };
  });
})();
