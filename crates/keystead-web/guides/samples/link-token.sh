curl --fail-with-body "$KEYSTEAD_URL/links/$LINK_ID/tokens" \
  -H "Authorization: Bearer $KEYSTEAD_KEY" -H "Content-Type: application/json" \
  -d "{\"contactId\": \"$CONTACT_ID\"}"
