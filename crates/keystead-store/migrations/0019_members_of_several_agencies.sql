-- An address is unique in its agency, not in the instance: nobody may learn, or take, what members another agency has. The column
-- holds the address as it is compared and, behind a space, the agency.
UPDATE users SET email_lower = email_lower || ' ' || agency_id;
