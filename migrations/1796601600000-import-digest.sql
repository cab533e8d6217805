-- migrate:up

-- What the stored lines of an import said: a mark of the key and an HMAC, so that a line with a card number cannot be guessed from it.
-- Null for an import without Idempotency-Key. One from before this column has none either; where lines of it are stored, its key is
-- refused from now on, since nothing tells whether the body is the same. A new key loses nothing: known lines are unchanged.
alter table operation_import
  add column body_digest bytea,
  add constraint operation_import_body_digest check (octet_length(body_digest) = 36);

-- migrate:down

alter table operation_import drop column body_digest;
