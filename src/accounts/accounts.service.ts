import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../admin/audit-trail';
import { type Page, page, parseCursor } from '../admin/pagination';
import type { MappingSettings } from '../balances/balance';
import { Environment } from '../config/environment';
import { ConnectionDirectory } from '../connections/connection-directory';
import { amlyzeAccount, isSameAccount } from '../shared/amlyze-account';
import { violatedReference, violatedUnique } from '../shared/constraint';
import { Database, type Queryable } from '../shared/database';
import { ApiProblem } from '../shared/problem';
import { findLastAcceptedRecord, findLastReading, findNextSlot } from './account-details';
import type { AccountFields } from './account-rules';
import { duplicateProblem, insertAccount, moveAccounts } from './account-writes';
import type { AccountDetailsDto, AccountDto, AccountQuery, CreateAccountDto } from './account.dto';
import type { UpdateAccountDto, UpdatedAccountDto } from './account.dto';
import { ACCOUNT_COLUMNS, type AccountRow, toAccountDto } from './account.row';
import { awaitReadings, holdOutdated, NO_RECORDS, type PendingRecords } from './pending-records';
import { pinsAfter } from './pinned-type';
import { lockNames, refuseSharedName } from './refuse-shared-name';

@Injectable()
export class AccountsService {
  constructor(
    private readonly database: Database,
    private readonly environment: Environment,
    private readonly audit: AuditTrail,
    private readonly directory: ConnectionDirectory,
  ) {}

  async create(dto: CreateAccountDto): Promise<AccountDto> {
    const { amlyzeBusinessUnit: configured } = this.environment;
    const row = await this.write(dto, async (tx) => {
      await lockNames(tx, configured);
      const inserted = await insertAccount(tx, dto);
      if (!inserted) throw ApiProblem.unknownReference('consentId', 'consent', dto.consentId);
      await refuseSharedName(tx, inserted, configured);
      const target = `account:${inserted.id}`;
      await this.audit.append(tx, { action: 'account.create', target, detail: { ...dto } });
      return inserted;
    });
    return toAccountDto(row);
  }

  async list({ limit, cursor, ...filters }: AccountQuery): Promise<Page<AccountDto>> {
    const values: unknown[] = [parseCursor(cursor) ?? '0', limit + 1];
    const wanted = {
      consent_id: filters.consentId,
      connection_id: filters.connectionId,
      status: filters.status,
      account_ext_id: filters.accountExtId,
    };
    const conditions = Object.entries(wanted).flatMap(([column, value]) =>
      value === undefined ? [] : [` and ${column} = $${values.push(value)}`],
    );
    const rows = await this.database.query<AccountRow>(
      `select ${ACCOUNT_COLUMNS} from account where id > $1${conditions.join('')} order by id limit $2`,
      values,
    );
    const { items, nextCursor } = page(rows, limit, ({ id }) => id);
    return { items: items.map(toAccountDto), nextCursor };
  }

  async find(id: string): Promise<AccountDetailsDto> {
    const row = await this.findRow(this.database, id);
    return {
      ...toAccountDto(row),
      lastReading: await findLastReading(this.database, id),
      lastAcceptedRecord: await findLastAcceptedRecord(this.database, id),
      nextSlot: row.status === 'active' ? await findNextSlot(this.database, this.environment.syncCron) : null,
    };
  }

  async update(id: string, dto: UpdateAccountDto): Promise<UpdatedAccountDto> {
    const renames = dto.accountExtId !== undefined || dto.businessUnit !== undefined;
    if (renames && dto.reason === undefined) {
      const message = 'is required for another accountExtId or businessUnit: say why AMLYZE is to see another account';
      throw ApiProblem.invalid([{ field: 'reason', message }]);
    }
    const before = await this.findRow(this.database, id);
    const mapping = dto.pinnedType ? (await this.directory.load(before.connection_id)).mappingSettings : undefined;
    const businessUnit = dto.businessUnit === undefined ? before.business_unit : dto.businessUnit;
    const accountExtId = dto.accountExtId ?? before.account_ext_id;
    const fields = toFields({ ...before, account_ext_id: accountExtId, business_unit: businessUnit });
    return this.write(fields, async (tx) => {
      if (renames || dto.status !== undefined) await lockNames(tx, this.environment.amlyzeBusinessUnit);
      if (renames) await awaitReadings(tx, id);
      const stored = await this.findRow(tx, id, 'for update');
      if (dto.consentId !== undefined) await this.move(tx, stored, dto.consentId);
      const changed = await this.change(tx, stored, dto, mapping);
      const pending = await this.settleName(tx, stored, changed);
      const { reason, ...detail } = dto;
      await this.audit.append(tx, {
        action: 'account.update',
        target: `account:${id}`,
        reason,
        detail: { ...detail, ...(pending !== NO_RECORDS && pending) },
      });
      return { ...toAccountDto(changed), ...pending };
    });
  }

  private async change(
    tx: Queryable,
    stored: AccountRow,
    dto: UpdateAccountDto,
    mapping: MappingSettings | undefined,
  ): Promise<AccountRow> {
    const updated = await tx.query<AccountRow>(
      `update account set account_ext_id = $2, business_unit = $3, pinned_types = $4,
         status = coalesce($5, status), closed_at = case when $5 = 'active' then null else closed_at end,
         updated_at = clock_timestamp()
       where id = $1 returning ${ACCOUNT_COLUMNS}`,
      [
        stored.id,
        dto.accountExtId ?? stored.account_ext_id,
        dto.businessUnit === undefined ? stored.business_unit : dto.businessUnit,
        JSON.stringify(pinsAfter(stored.pinned_types, dto.pinnedType, mapping)),
        dto.status ?? null,
      ],
    );
    return one(updated, stored.id);
  }

  /** What follows from another name at AMLYZE, or from being open again under it. */
  private async settleName(tx: Queryable, before: AccountRow, after: AccountRow): Promise<PendingRecords> {
    const { amlyzeBusinessUnit: configured } = this.environment;
    const account = amlyzeAccount(toFields(after), configured);
    const renamed = !isSameAccount(account, amlyzeAccount(toFields(before), configured));
    if (renamed || before.status !== after.status) await refuseSharedName(tx, after, configured);
    return renamed ? holdOutdated(tx, after.id, account) : NO_RECORDS;
  }

  /** Reads stop at once; history and records that are not settled stay. Closing twice changes nothing. */
  async close(id: string): Promise<void> {
    await this.database.transaction(async (tx) => {
      const { status } = await this.findRow(tx, id, 'for update');
      if (status === 'closed') return;
      await tx.query(
        `update account set status = 'closed', closed_at = now(), updated_at = clock_timestamp() where id = $1`,
        [id],
      );
      await this.audit.append(tx, { action: 'account.close', target: `account:${id}` });
    });
  }

  private async findRow(db: Queryable, id: string, lock: '' | 'for update' = ''): Promise<AccountRow> {
    const rows = await db.query<AccountRow>(`select ${ACCOUNT_COLUMNS} from account where id = $1 ${lock}`, [id]);
    return one(rows, id);
  }

  private async move(tx: Queryable, account: AccountRow, consentId: string): Promise<void> {
    const [consent] = await tx.query<{ connection_id: string; bank_code: string }>(
      `select connection_id, bank_code from consent where id = $1`,
      [consentId],
    );
    if (!consent) throw ApiProblem.unknownReference('consentId', 'consent', consentId);
    const fits = consent.connection_id === account.connection_id && consent.bank_code === account.bank_code;
    if (!fits) {
      const message = "must be a consent of the account's own connection and bank";
      throw ApiProblem.invalid([{ field: 'consentId', message }]);
    }
    await moveAccounts(tx, [{ accountId: account.id, consentId }]);
  }

  private async write<T>(wanted: AccountFields, work: (tx: Queryable) => Promise<T>): Promise<T> {
    try {
      return await this.database.transaction(work);
    } catch (error) {
      const constraint = violatedUnique(error);
      if (constraint !== undefined) throw await duplicateProblem(this.database, constraint, wanted);
      // The consent was there a moment ago.
      if (violatedReference(error) === undefined) throw error;
      throw ApiProblem.unknownReference('consentId', 'consent', wanted.consentId);
    }
  }
}

function one<T>(rows: readonly T[], id: string): T {
  const [row] = rows;
  if (!row) throw ApiProblem.notFound('account', id);
  return row;
}

function toFields(row: AccountRow): AccountFields {
  return {
    consentId: row.consent_id,
    providerAccountId: row.provider_account_id,
    currency: row.currency,
    accountExtId: row.account_ext_id,
    ...(row.business_unit !== null && { businessUnit: row.business_unit }),
  };
}
