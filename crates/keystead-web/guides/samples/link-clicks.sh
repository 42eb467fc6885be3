curl --fail-with-body "$KEYSTEAD_URL/links/$LINK_ID/clicks" -H "Authorization: Bearer $KEYSTEAD_KEY"
