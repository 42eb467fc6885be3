-- What a member does not want to be told, by which channel. Nothing here: they are told everything.
CREATE TABLE muted_topics (
    user_id {text} NOT NULL REFERENCES users (id),
    topic {text} NOT NULL,
    channel {text} NOT NULL,
    PRIMARY KEY (user_id, topic, channel)
);

-- Which notices have been put into a mail to whom: each once.
CREATE TABLE mailed_notices (
    user_id {text} NOT NULL REFERENCES users (id),
    notice_id {text} NOT NULL REFERENCES notices (id),
    mail_id {text} NOT NULL,
    PRIMARY KEY (user_id, notice_id)
);

CREATE INDEX mailed_notices_by_notice ON mailed_notices (notice_id);

-- One summary has taken the place of the one about unused keys alone. What went out as that is not sent again.
UPDATE mails SET kind = 'summary' WHERE kind = 'idle_summary';
