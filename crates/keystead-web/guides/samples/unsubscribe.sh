curl --fail-with-body -X DELETE "$KEYSTEAD_URL/webhooks/$HOOK_ID" -H "Authorization: Bearer $KEYSTEAD_KEY"
