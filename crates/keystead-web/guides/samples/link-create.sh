curl --fail-with-body "$KEYSTEAD_URL/links/" \
  -H "Authorization: Bearer $KEYSTEAD_KEY" -H "Content-Type: application/json" \
  -d "{\"locationId\": \"$LOCATION_ID\", \"name\": \"Spring offer\", \"redirectTo\": \"https://shop.example.com/spring?for={{contact.first_name}}\"}"
