import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../admin/audit-trail';
import { type ListQuery, type Page, page, parseCursor } from '../admin/pagination';
import { Environment } from '../config/environment';
import type { BalanceProvider, CheckResult } from '../providers/provider';
import { ProviderRegistry } from '../providers/registry';
import { violatedReference, violatedUnique } from '../shared/constraint';
import { Database, type Queryable } from '../shared/database';
import { checkBaseUrl } from '../shared/http-client';
import { ApiProblem, type FieldError } from '../shared/problem';
import { SecretBox } from '../shared/secret-box';
import { StoredProblem } from '../shared/stored-problem';
import { ConnectionDirectory } from './connection-directory';
import { changeSecrets, openable, sealSecrets } from './connection-secrets';
import { mergeSettings, readSettings, settingFaults } from './connection-settings';
import type { ConnectionDto, CreateConnectionDto, UpdateConnectionDto } from './connection.dto';
import { CONNECTION_COLUMNS, type ConnectionRow, toConnectionDto } from './connection.row';

@Injectable()
export class ConnectionsService {
  constructor(
    private readonly database: Database,
    private readonly registry: ProviderRegistry,
    private readonly box: SecretBox,
    private readonly environment: Environment,
    private readonly audit: AuditTrail,
    private readonly directory: ConnectionDirectory,
  ) {}

  async create(dto: CreateConnectionDto): Promise<ConnectionDto> {
    const provider = this.registry.get(dto.provider);
    if (!provider) throw ApiProblem.invalid([this.unknownProvider()]);
    const given = dto.settings ?? {};
    const { secrets, errors } = changeSecrets({}, dto.secrets ?? {}, provider.secretNames);
    const all = [...this.baseUrlFaults(dto.baseUrl), ...readSettings(provider, given).errors, ...errors];
    if (all.length > 0) throw ApiProblem.invalid(all);
    const row = await this.write(dto.name, async (tx) => {
      // Secrets are sealed for their row, so the row's id has to be known first.
      const [next] = await tx.query<{ id: string }>(`select nextval(pg_get_serial_sequence('connection', 'id')) as id`);
      const id = next?.id ?? '';
      const inserted = await tx.query<ConnectionRow>(
        `insert into connection (id, name, provider, base_url, settings, secrets) values ($1, $2, $3, $4, $5, $6)
         returning ${CONNECTION_COLUMNS}`,
        [
          id,
          dto.name,
          dto.provider,
          dto.baseUrl,
          JSON.stringify(given),
          JSON.stringify(sealSecrets(this.box, id, secrets)),
        ],
      );
      const { name, provider: providerName, baseUrl } = dto;
      const detail = { name, provider: providerName, baseUrl, settings: given, secrets: Object.keys(secrets) };
      await this.audit.append(tx, { action: 'connection.create', target: `connection:${id}`, detail });
      return one(inserted, id);
    });
    return toConnectionDto(row, this.registry);
  }

  async list(query: ListQuery): Promise<Page<ConnectionDto>> {
    const rows = await this.database.query<ConnectionRow>(
      `select ${CONNECTION_COLUMNS} from connection where id > $1 order by id limit $2`,
      [parseCursor(query.cursor) ?? '0', query.limit + 1],
    );
    const { items, nextCursor } = page(rows, query.limit, ({ id }) => id);
    return { items: items.map((row) => toConnectionDto(row, this.registry)), nextCursor };
  }

  async find(id: string): Promise<ConnectionDto> {
    const rows = await this.database.query<ConnectionRow>(
      `select ${CONNECTION_COLUMNS} from connection where id = $1`,
      [id],
    );
    return toConnectionDto(one(rows, id), this.registry);
  }

  async update(id: string, dto: UpdateConnectionDto): Promise<ConnectionDto> {
    if (dto.status === 'paused' && dto.reason === undefined) {
      throw ApiProblem.invalid([
        { field: 'reason', message: 'is required for pausing: say why, for those who come after' },
      ]);
    }
    const row = await this.write(dto.name ?? '', async (tx) => {
      const before = one(
        await tx.query<ConnectionRow>(`select ${CONNECTION_COLUMNS} from connection where id = $1 for update`, [id]),
        id,
      );
      const { settings, secrets } = this.merge(before, dto);
      const updated = await tx.query<ConnectionRow>(
        `update connection set name = $2, base_url = $3, settings = $4, secrets = $5, updated_at = clock_timestamp()
         where id = $1 returning ${CONNECTION_COLUMNS}`,
        [
          id,
          dto.name ?? before.name,
          dto.baseUrl ?? before.base_url,
          JSON.stringify(settings),
          JSON.stringify(secrets),
        ],
      );
      if (dto.baseUrl !== undefined || dto.settings || dto.secrets) await forgetToken(tx, id);
      const after = dto.status ? await setStatus(tx, id, dto.status, dto.reason) : one(updated, id);
      const { secrets: changed, reason, ...detail } = { ...dto };
      await this.audit.append(tx, {
        action: 'connection.update',
        target: `connection:${id}`,
        reason,
        detail: { ...detail, ...(changed && { secrets: Object.keys(changed) }) },
      });
      return after;
    });
    this.directory.forget(id);
    return toConnectionDto(row, this.registry);
  }

  async remove(id: string): Promise<void> {
    try {
      await this.database.transaction(async (tx) => {
        const removed = await tx.query<{ name: string }>(`delete from connection where id = $1 returning name`, [id]);
        const { name } = one(removed, id);
        await this.audit.append(tx, { action: 'connection.delete', target: `connection:${id}`, detail: { name } });
      });
    } catch (error) {
      if (violatedReference(error) === undefined) throw error;
      throw ApiProblem.conflict('The connection has consents. Delete those first, or pause the connection instead.');
    }
    this.directory.forget(id);
  }

  /** One live call that reads no account data. What goes wrong is the answer, not an error. */
  async check(id: string): Promise<CheckResult> {
    await this.find(id);
    try {
      const connection = await this.directory.reload(id);
      return await connection.provider.check(connection);
    } catch (error) {
      if (!(error instanceof StoredProblem)) throw error;
      return { ok: false, latencyMs: 0, detail: `no call was made: ${error.message}` };
    }
  }

  /** What the row is to hold after the change. Settings and secrets that were not named stay as they are. */
  private merge(
    before: ConnectionRow,
    dto: UpdateConnectionDto,
  ): { settings: Record<string, unknown>; secrets: Record<string, string> } {
    const provider = this.registry.get(before.provider);
    if (!provider) throw ApiProblem.conflict(`This gateway has no provider ${before.provider} any more.`);
    const settings = mergeSettings(before.settings, dto.settings ?? {});
    const errors: FieldError[] = [
      ...(dto.baseUrl === undefined ? [] : this.baseUrlFaults(dto.baseUrl)),
      ...(dto.settings ? settingFaults(provider, before.settings, dto.settings) : []),
    ];
    const secrets = dto.secrets ? this.mergeSecrets(before, dto.secrets, provider, errors) : before.secrets;
    if (errors.length > 0) throw ApiProblem.invalid(errors);
    return { settings, secrets };
  }

  private mergeSecrets(
    before: ConnectionRow,
    changes: Record<string, unknown>,
    provider: BalanceProvider,
    errors: FieldError[],
  ): Record<string, string> {
    const changed = changeSecrets(openable(this.box, before.id, before.secrets), changes, provider.secretNames);
    errors.push(...changed.errors);
    return sealSecrets(this.box, before.id, changed.secrets);
  }

  private baseUrlFaults(baseUrl: string): FieldError[] {
    const message = checkBaseUrl(baseUrl, this.environment.allowPrivateAddresses);
    return message === undefined ? [] : [{ field: 'baseUrl', message }];
  }

  private unknownProvider(): FieldError {
    return { field: 'provider', message: `must be one of: ${this.registry.names().join(', ')}` };
  }

  private async write(name: string, work: (tx: Queryable) => Promise<ConnectionRow>): Promise<ConnectionRow> {
    try {
      return await this.database.transaction(work);
    } catch (error) {
      if (violatedUnique(error) !== 'connection_name_unique') throw error;
      const [first] = await this.database.query<{ id: string }>(`select id from connection where name = $1`, [name]);
      throw ApiProblem.conflict(
        `Connection ${first?.id ?? ''} has this name already.`,
        first ? { conflictsWith: first.id } : {},
      );
    }
  }
}

function one<T>(rows: readonly T[], id: string): T {
  const [row] = rows;
  if (!row) throw ApiProblem.notFound('connection', id);
  return row;
}

/** A person's word ends whatever the gateway or a Retry-After had decided. */
async function setStatus(
  tx: Queryable,
  id: string,
  status: 'active' | 'paused',
  reason: string | undefined,
): Promise<ConnectionRow> {
  const change =
    status === 'paused'
      ? `status = 'paused', pause_reason = $2, paused_by = 'operator', paused_at = now()`
      : `status = 'active', pause_reason = null, paused_by = null, paused_at = null, not_before = null, not_before_reason = null`;
  const rows = await tx.query<ConnectionRow>(
    `update connection set ${change}, updated_at = clock_timestamp() where id = $1 returning ${CONNECTION_COLUMNS}`,
    status === 'paused' ? [id, reason] : [id],
  );
  return one(rows, id);
}

/** A token that was issued to other credentials or by another host. The epoch also fences off a renewal under way. */
async function forgetToken(tx: Queryable, connectionId: string): Promise<void> {
  await tx.query(
    `update connection_token set access_token = null, expires_at = null, refreshing_until = null, epoch = epoch + 1
     where connection_id = $1`,
    [connectionId],
  );
}
