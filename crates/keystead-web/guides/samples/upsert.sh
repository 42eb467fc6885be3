curl --fail-with-body "$KEYSTEAD_URL/contacts/upsert" \
  -H "Authorization: Bearer $KEYSTEAD_KEY" -H "Content-Type: application/json" \
  -d '{"email": "ada@example.com", "firstName": "Ada", "tags": ["from the shop"]}'
