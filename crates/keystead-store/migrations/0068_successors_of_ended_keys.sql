-- The key that was made in place of this one, whether this one ended then or ends with the first use of that one: a key is
-- replaced once.
ALTER TABLE api_keys ADD COLUMN successor {text};
UPDATE api_keys SET successor = (
    SELECT n.id FROM api_keys n WHERE n.replaces = api_keys.id ORDER BY n.created_at DESC, n.id LIMIT 1
) WHERE EXISTS (SELECT 1 FROM api_keys n WHERE n.replaces = api_keys.id);
-- Nothing looks for a successor by what it replaces any more.
DROP INDEX api_keys_by_replaced;
