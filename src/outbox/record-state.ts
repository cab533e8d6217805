/**
 * The life of an outbox record. The same machine stands in two other places, which must change together with this one:
 * the CHECK constraints of table `record_state` and the drawing in docs/architecture.md.
 *
 * pending ──claim──► sending ──verdict──► accepted | rejected | held | exhausted
 *    ▲                  │
 *    └──doubt, failure──┘        held, rejected, exhausted ──requeue──► pending; held ──adopt──► accepted
 *
 * What was never sent may become held while it waits: its card data grew too old, its account got another name at AMLYZE. Of a record that
 * is under way then, it is its end where it comes back without having got there.
 */
export const RECORD_STATES = ['pending', 'sending', 'accepted', 'rejected', 'held', 'exhausted'] as const;
export type RecordState = (typeof RECORD_STATES)[number];

/** A person's word leads out of these. */
export const REQUEUEABLE_STATES = ['held', 'rejected', 'exhausted'] as const satisfies readonly RecordState[];
export type RequeueableState = (typeof REQUEUEABLE_STATES)[number];

/** What the record tells AMLYZE about; each kind has its own endpoints. */
export type RecordKind = 'balance' | 'operation';

/** The way a record goes out, decided when its bytes are frozen: the endpoints of a kind differ in what they take. */
export const RECORD_CHANNELS = ['balance', 'operation-single', 'operation-batch'] as const;
export type RecordChannel = (typeof RECORD_CHANNELS)[number];
