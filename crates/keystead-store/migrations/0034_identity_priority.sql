-- Which of an e-mail address and a phone number decides who a contact is, where they are of two contacts.
ALTER TABLE locations ADD COLUMN phone_first BOOLEAN NOT NULL DEFAULT FALSE;
