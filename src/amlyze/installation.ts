import { Injectable } from '@nestjs/common';
import { Environment } from '../config/environment';
import { Database } from '../shared/database';

/** What identifies records made by this installation. */
export interface RecordIdentity {
  installationId: string;
  prefix: string;
  requester: string;
  businessUnit: string | undefined;
}

/** This installation's part of every record: its id in the database and what the environment says of the requester. */
@Injectable()
export class Installation {
  private known: RecordIdentity | undefined;

  constructor(
    private readonly database: Database,
    private readonly environment: Environment,
  ) {}

  async identity(): Promise<RecordIdentity> {
    if (this.known) return this.known;
    const [row] = await this.database.query<{ id: string }>('select id from installation');
    if (!row) throw new Error('the installation row is missing');
    const {
      communicationNumberPrefix: prefix,
      amlyzeRequester: requester,
      amlyzeBusinessUnit: businessUnit,
    } = this.environment;
    this.known = { installationId: row.id, prefix, requester, businessUnit };
    return this.known;
  }
}
