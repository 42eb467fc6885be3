curl --fail-with-body "$KEYSTEAD_URL/api-keys/self" -H "Authorization: Bearer $KEYSTEAD_KEY"
