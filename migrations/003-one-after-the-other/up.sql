-- Version 3: messages of one incident to one address leave in their order, and what is due is found without looking at
-- all that is owed.

-- As the notification has it, so that the index can begin with it.
ALTER TABLE delivery ADD COLUMN receiver TEXT NOT NULL DEFAULT '';

-- delivery.id of the one before it to the same address, of the same incident and receiver, while that is owed: until
-- then this one waits, whatever `next_at` says.
ALTER TABLE delivery ADD COLUMN behind INTEGER REFERENCES delivery (id) ON DELETE SET NULL;

UPDATE delivery SET receiver = (SELECT receiver FROM notification WHERE notification.id = delivery.notification);

UPDATE delivery SET behind = (
    SELECT max(earlier.id) FROM delivery AS earlier
    JOIN notification AS before ON before.id = earlier.notification
    JOIN notification AS own ON own.id = delivery.notification
    WHERE before.incident = own.incident AND before.receiver = own.receiver
        AND earlier.address = delivery.address AND earlier.state = 0 AND earlier.id < delivery.id
) WHERE state = 0;

DROP INDEX delivery_owed;
CREATE INDEX delivery_due ON delivery (receiver, next_at, id) WHERE state = 0 AND behind IS NULL;
CREATE INDEX delivery_next ON delivery (next_at) WHERE state = 0 AND behind IS NULL;
CREATE INDEX delivery_behind ON delivery (behind) WHERE behind IS NOT NULL;
