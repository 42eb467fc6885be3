curl --fail-with-body -X POST "$KEYSTEAD_URL/forms/$FORM_ID/publish" -H "Authorization: Bearer $KEYSTEAD_KEY"
