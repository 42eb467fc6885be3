curl --fail-with-body "$KEYSTEAD_URL/forms/$FORM_ID/submissions" \
  -H "Authorization: Bearer $KEYSTEAD_KEY" -H "Content-Type: application/json" \
  -d '{"answers": {"first_name": "Ada", "email": "ada@example.com", "budget": 500}, "submissionId": "order-1841"}'
