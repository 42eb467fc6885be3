curl --fail-with-body "$KEYSTEAD_URL/forms/$FORM_ID/submissions" -H "Authorization: Bearer $KEYSTEAD_KEY" \
  -F "first_name=Grace" -F "email=grace@example.com" -F "plan=@plan.pdf" -F "submissionId=order-1843"
