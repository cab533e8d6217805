import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../admin/audit-trail';
import { Database, type Queryable } from '../shared/database';
import { ApiProblem, type FieldError } from '../shared/problem';
import { openManualRun, type RunScope } from './runs';
import type { ResyncAnswerDto, ResyncDto } from './sync.dto';
import { SyncWorker } from './sync.worker';

const SELECTORS = ['all', 'accountIds', 'consentId', 'connectionId'] as const;

/** Opens a run on an operator's word. Reads that the consent's budget forbids are an outcome of the run, not an error. */
@Injectable()
export class ResyncService {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditTrail,
    private readonly worker: SyncWorker,
  ) {}

  async resync(dto: ResyncDto): Promise<ResyncAnswerDto> {
    const scope = toScope(dto);
    const run = await this.database.transaction(async (tx) => {
      await requireExisting(tx, scope);
      const opened = await openManualRun(tx, { scope, force: dto.force ?? false, reason: dto.reason });
      if (!opened.joined) {
        const detail = { scope, force: dto.force ?? false, accounts: opened.accounts };
        await this.audit.append(tx, {
          action: 'run.resync',
          target: `run:${opened.runId}`,
          reason: dto.reason,
          detail,
        });
      }
      return opened;
    });
    this.worker.wake();
    return { runId: run.runId, accounts: run.accounts };
  }
}

function toScope(dto: ResyncDto): RunScope {
  const errors: FieldError[] = [];
  const named = SELECTORS.filter((selector) => dto[selector] !== undefined);
  if (named.length !== 1) errors.push({ field: '', message: `name exactly one of ${SELECTORS.join(', ')}` });
  if (dto.force && dto.reason === undefined)
    errors.push({ field: 'reason', message: 'is needed with force: it is what an auditor will read' });
  if (dto.force && dto.all && !dto.confirm) {
    errors.push({ field: 'confirm', message: 'must be true to force new records for all accounts' });
  }
  if (errors.length > 0) throw ApiProblem.invalid(errors);
  if (dto.accountIds)
    return { accountIds: [...new Set(dto.accountIds)].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1)) };
  if (dto.consentId !== undefined) return { consentId: dto.consentId };
  if (dto.connectionId !== undefined) return { connectionId: dto.connectionId };
  return { all: true };
}

async function requireExisting(tx: Queryable, scope: RunScope): Promise<void> {
  if ('accountIds' in scope) {
    const [missing] = await tx.query<{ id: string }>(
      'select x.id::text as id from unnest($1::bigint[]) as x(id) where not exists (select 1 from account a where a.id = x.id) order by x.id limit 1',
      [scope.accountIds],
    );
    if (missing) throw ApiProblem.unknownReference('accountIds', 'account', missing.id);
  } else if ('consentId' in scope) {
    await requireRow(tx, { table: 'consent', field: 'consentId', id: scope.consentId });
  } else if ('connectionId' in scope) {
    await requireRow(tx, { table: 'connection', field: 'connectionId', id: scope.connectionId });
  }
}

async function requireRow(
  tx: Queryable,
  { table, field, id }: { table: 'consent' | 'connection'; field: string; id: string },
): Promise<void> {
  const [row] = await tx.query(`select 1 from ${table} where id = $1`, [id]);
  if (!row) throw ApiProblem.unknownReference(field, table, id);
}
