-- migrate:up

-- A setting that took one value and changed nothing is gone; where it was given, the connection could not be used.
update connection set settings = settings - 'signatureScheme', updated_at = now()
where provider = 'onesingleview' and settings ? 'signatureScheme';

-- migrate:down

-- Older builds take that value where none is given.
