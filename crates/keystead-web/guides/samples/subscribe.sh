curl --fail-with-body "$KEYSTEAD_URL/webhooks" \
  -H "Authorization: Bearer $KEYSTEAD_KEY" -H "Content-Type: application/json" \
  -d "{\"url\": \"$HOOK_URL\", \"events\": [\"contact.created\", \"opportunity.updated\"]}"
