-- migrate:up

-- What went wrong with one account is looked for by outcome; what went well, which is nearly everything, has no entry.
create index balance_reading_account_failed on balance_reading (account_id, outcome, id) where outcome <> 'READ';

-- migrate:down

drop index balance_reading_account_failed;
