-- migrate:up

-- A record's bytes and their number at AMLYZE stay as they were frozen. Only card data may go (payload to null) and come back by
-- a resubmission, whose digest may be under a newer key. After the update, not before: a before trigger has every updated row
-- locked first, also where it does not fire, which would cost each claim and settle; keys have after triggers here anyway.
create function amlyze_record_frozen() returns trigger language plpgsql as $$
begin
  raise exception 'the request of amlyze_record % is frozen: update refused', old.id using errcode = 'restrict_violation';
end $$;
create trigger amlyze_record_frozen after update of communication_number, payload, payload_digest, sealed on amlyze_record
  for each row when (
    new.communication_number <> old.communication_number
    or new.sealed <> old.sealed
    or new.payload <> old.payload
    or (new.payload_digest is distinct from old.payload_digest and (old.payload is not null or new.payload is null))
  ) execute function amlyze_record_frozen();

-- migrate:down

drop trigger amlyze_record_frozen on amlyze_record;
drop function amlyze_record_frozen();
