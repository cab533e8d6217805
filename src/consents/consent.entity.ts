import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { ConsentStatus } from './consent-status';

/** The account owner's permission to read accounts over one connection. */
@Entity('consent')
export class ConsentEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id: string;

  @Column('bigint')
  connectionId: string;

  /** The bank's id of the consent. */
  @Column('text')
  consentId: string;

  /** The bank behind an aggregator; empty where the connection is one bank. */
  @Column('text', { default: '' })
  bankCode: string;

  @Column('text', { default: 'valid' })
  status: ConsentStatus;

  /** Set when the bank refused consent or token: no account of it is read until an operator renews it. */
  @Column('text', { nullable: true })
  stoppedOutcome: 'CONSENT_REQUIRED' | 'TOKEN_REJECTED' | null;

  @Column('text', { nullable: true })
  stoppedReason: string | null;

  @Column('timestamptz', { nullable: true })
  stoppedAt: Date | null;

  /** Sealed. */
  @Column('text', { nullable: true })
  accessToken: string | null;

  @Column('timestamptz', { nullable: true })
  accessTokenExpiresAt: Date | null;

  /** Sealed. */
  @Column('text', { nullable: true })
  refreshToken: string | null;

  /** Nothing is read past this time. */
  @Column('timestamptz', { nullable: true })
  validUntil: Date | null;

  /** When the account owner last authenticated with SCA. */
  @Column('timestamptz', { nullable: true })
  scaPerformedAt: Date | null;

  /** Unattended reads per 24 hours and account. */
  @Column('integer', { default: 4 })
  frequencyPerDay: number;

  /** The agreement with the bank that permits more than four. */
  @Column('text', { nullable: true })
  agreementReference: string | null;

  @Column('timestamptz', { nullable: true })
  notBefore: Date | null;

  @Column('text', { nullable: true })
  notBeforeReason: string | null;

  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;

  @Column('timestamptz', { default: () => 'now()' })
  updatedAt: Date;
}
