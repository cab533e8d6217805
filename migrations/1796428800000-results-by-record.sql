-- migrate:up

-- The log is read by record, and nothing asks which records an attempt carried once it is over; each result paid for an entry here.
drop index delivery_result_attempt;

-- migrate:down

create index delivery_result_attempt on delivery_result (attempt_id);
