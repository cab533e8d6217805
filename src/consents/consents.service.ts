import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../admin/audit-trail';
import { type Page, page, parseCursor } from '../admin/pagination';
import type { ConsentNeeds } from '../providers/provider';
import { ProviderRegistry } from '../providers/registry';
import { violatedReference, violatedUnique } from '../shared/constraint';
import { Database, type Queryable } from '../shared/database';
import { ApiProblem, type FieldError } from '../shared/problem';
import { SecretBox } from '../shared/secret-box';
import { findUsedReads } from './access-budget';
import { changesOf, utcOrNull } from './consent-changes';
import { tokenContext } from './consent-tokens';
import {
  type ConsentDto,
  type ConsentQuery,
  type CreateConsentDto,
  READS_WITHOUT_AGREEMENT,
  type UpdateConsentDto,
} from './consent.dto';
import { CONSENT_COLUMNS, type ConsentRow, toConsentDto } from './consent.row';

interface Identity {
  connectionId: string;
  bankCode: string;
  consentId: string;
}

@Injectable()
export class ConsentsService {
  constructor(
    private readonly database: Database,
    private readonly registry: ProviderRegistry,
    private readonly box: SecretBox,
    private readonly audit: AuditTrail,
  ) {}

  async create(dto: CreateConsentDto): Promise<ConsentDto> {
    const needs = await this.needsOf(dto.connectionId);
    const frequency = dto.frequencyPerDay ?? READS_WITHOUT_AGREEMENT;
    const errors = [...needFaults(dto, needs), ...agreementFaults(frequency, dto.agreementReference)];
    if (errors.length > 0) throw ApiProblem.invalid(errors);
    const identity = { ...dto, bankCode: dto.bankCode ?? '' };
    const row = await this.write(identity, async (tx) => {
      // Tokens are sealed for their row, so the row's id has to be known first.
      const [next] = await tx.query<{ id: string }>(`select nextval(pg_get_serial_sequence('consent', 'id')) as id`);
      const id = next?.id ?? '';
      const inserted = await tx.query<ConsentRow>(
        `insert into consent (id, connection_id, consent_id, bank_code, access_token, access_token_expires_at, refresh_token,
           valid_until, sca_performed_at, frequency_per_day, agreement_reference, status)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, case when $8::timestamptz <= now() then 'expired' else 'valid' end)
         returning ${CONSENT_COLUMNS}`,
        [
          id,
          dto.connectionId,
          dto.consentId,
          identity.bankCode,
          this.seal(id, 'access_token', dto.accessToken),
          utcOrNull(dto.accessTokenExpiresAt),
          this.seal(id, 'refresh_token', dto.refreshToken),
          utcOrNull(dto.validUntil),
          utcOrNull(dto.scaPerformedAt),
          frequency,
          dto.agreementReference ?? null,
        ],
      );
      await this.audit.append(tx, { action: 'consent.create', target: `consent:${id}`, detail: withoutTokens(dto) });
      return one(inserted, id);
    });
    return toConsentDto(row, 0);
  }

  async list(query: ConsentQuery): Promise<Page<ConsentDto>> {
    const rows = await this.database.query<ConsentRow>(
      `select ${CONSENT_COLUMNS} from consent
       where id > $1 and ($3::bigint is null or connection_id = $3) order by id limit $2`,
      [parseCursor(query.cursor) ?? '0', query.limit + 1, query.connectionId ?? null],
    );
    const { items, nextCursor } = page(rows, query.limit, ({ id }) => id);
    return { items: await this.toDtos(items), nextCursor };
  }

  async find(id: string): Promise<ConsentDto> {
    const rows = await this.database.query<ConsentRow>(`select ${CONSENT_COLUMNS} from consent where id = $1`, [id]);
    return this.toDto(this.database, one(rows, id));
  }

  async update(id: string, dto: UpdateConsentDto): Promise<ConsentDto> {
    const before = await this.find(id);
    const identity = {
      connectionId: before.connectionId,
      bankCode: before.bankCode ?? '',
      consentId: dto.consentId ?? before.consentId,
    };
    return this.write(identity, async (tx) => {
      const locked = await tx.query<ConsentRow>(`select ${CONSENT_COLUMNS} from consent where id = $1 for update`, [
        id,
      ]);
      const stored = one(locked, id);
      const errors = updateFaults(stored, dto);
      if (errors.length > 0) throw ApiProblem.invalid(errors);
      const changes = changesOf(stored, dto, (column, plain) => this.seal(id, column, plain));
      const columns = Object.keys(changes);
      const updated = await tx.query<ConsentRow>(
        `update consent set ${columns.map((column, at) => `${column} = $${at + 2}, `).join('')}updated_at = clock_timestamp()
         where id = $1 returning ${CONSENT_COLUMNS}`,
        [id, ...Object.values(changes)],
      );
      await this.audit.append(tx, {
        action: 'consent.update',
        target: `consent:${id}`,
        reason: dto.reason,
        detail: withoutTokens(dto),
      });
      // Before the commit: what is stored must not be answered with a failure.
      return this.toDto(tx, one(updated, id));
    });
  }

  async remove(id: string): Promise<void> {
    try {
      await this.database.transaction(async (tx) => {
        const removed = await tx.query<{ consent_id: string }>(
          `delete from consent where id = $1 returning consent_id`,
          [id],
        );
        const detail = { consentId: one(removed, id).consent_id };
        await this.audit.append(tx, { action: 'consent.delete', target: `consent:${id}`, detail });
      });
    } catch (error) {
      if (violatedReference(error) === undefined) throw error;
      throw ApiProblem.conflict(
        'The consent has, or had, accounts or reads. To stop reading under it, set its status to terminatedByTpp.',
      );
    }
  }

  private async needsOf(connectionId: string): Promise<ConsentNeeds> {
    const [connection] = await this.database.query<{ provider: string }>(
      `select provider from connection where id = $1`,
      [connectionId],
    );
    if (!connection) throw ApiProblem.unknownReference('connectionId', 'connection', connectionId);
    const provider = this.registry.get(connection.provider);
    if (!provider) throw ApiProblem.conflict(`This gateway has no provider ${connection.provider} any more.`);
    return provider.consentNeeds;
  }

  private async toDto(db: Queryable, row: ConsentRow): Promise<ConsentDto> {
    return toConsentDto(row, (await findUsedReads(db, this.registry, [row.id])).get(row.id) ?? 0);
  }

  private async toDtos(rows: readonly ConsentRow[]): Promise<ConsentDto[]> {
    const used = await findUsedReads(
      this.database,
      this.registry,
      rows.map(({ id }) => id),
    );
    return rows.map((row) => toConsentDto(row, used.get(row.id) ?? 0));
  }

  private seal(id: string, column: 'access_token' | 'refresh_token', plain: string | undefined): string | null {
    return plain === undefined ? null : this.box.seal(plain, tokenContext(column, id));
  }

  private async write<T>(identity: Identity, work: (tx: Queryable) => Promise<T>): Promise<T> {
    try {
      return await this.database.transaction(work);
    } catch (error) {
      if (violatedUnique(error) === 'consent_identity') throw await this.duplicate(identity);
      // The connection was there a moment ago.
      if (violatedReference(error) === undefined) throw error;
      throw ApiProblem.unknownReference('connectionId', 'connection', identity.connectionId);
    }
  }

  private async duplicate({ connectionId, bankCode, consentId }: Identity): Promise<ApiProblem> {
    const [first] = await this.database.query<{ id: string }>(
      `select id from consent where connection_id = $1 and bank_code = $2 and consent_id = $3`,
      [connectionId, bankCode, consentId],
    );
    return ApiProblem.conflict(
      `Consent ${first?.id ?? ''} of this connection and bank has this consentId already.`,
      first ? { conflictsWith: first.id } : {},
    );
  }
}

function one<T>(rows: readonly T[], id: string): T {
  const [row] = rows;
  if (!row) throw ApiProblem.notFound('consent', id);
  return row;
}

function needFaults(dto: CreateConsentDto, needs: ConsentNeeds): FieldError[] {
  const message = 'is required by the provider of this connection';
  const errors: FieldError[] = [];
  if (needs.accessToken && dto.accessToken === undefined) errors.push({ field: 'accessToken', message });
  if (needs.bankCode && dto.bankCode === undefined) errors.push({ field: 'bankCode', message });
  if (!needs.bankCode && dto.bankCode !== undefined) {
    errors.push({ field: 'bankCode', message: 'is not used by the provider of this connection: leave it out' });
  }
  return errors;
}

function agreementFaults(frequencyPerDay: number, agreementReference: string | null | undefined): FieldError[] {
  if (frequencyPerDay <= READS_WITHOUT_AGREEMENT || agreementReference) return [];
  const message = `is required for more than ${READS_WITHOUT_AGREEMENT} reads per day: name the agreement with the bank`;
  return [{ field: 'agreementReference', message }];
}

function updateFaults(stored: ConsentRow, dto: UpdateConsentDto): FieldError[] {
  const reference = dto.agreementReference === undefined ? stored.agreement_reference : dto.agreementReference;
  const errors = agreementFaults(dto.frequencyPerDay ?? stored.frequency_per_day, reference);
  const validUntil = dto.validUntil === undefined ? stored.valid_until : dto.validUntil;
  if (dto.status === 'valid' && validUntil !== null && new Date(validUntil) <= stored.now) {
    errors.push({ field: 'validUntil', message: 'has passed: send a later one together with the status valid' });
  }
  return errors;
}

function withoutTokens(dto: CreateConsentDto | UpdateConsentDto): Record<string, unknown> {
  const { accessToken, refreshToken, ...detail } = dto;
  return {
    ...detail,
    ...(accessToken !== undefined && { accessToken: 'replaced' }),
    ...(refreshToken !== undefined && { refreshToken: refreshToken === null ? 'removed' : 'replaced' }),
  };
}
