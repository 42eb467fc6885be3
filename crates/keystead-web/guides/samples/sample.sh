curl --fail-with-body "$KEYSTEAD_URL/webhooks/samples?event=contact.created" -H "Authorization: Bearer $KEYSTEAD_KEY"
