curl --fail-with-body "$KEYSTEAD_URL/f/$FORM_ID/submissions" \
  -F "first_name=Mary" -F "email=mary@example.com" -F "plan=@plan.pdf" -F "submissionId=order-1842"
