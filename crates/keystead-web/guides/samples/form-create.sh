curl --fail-with-body "$KEYSTEAD_URL/forms/" \
  -H "Authorization: Bearer $KEYSTEAD_KEY" -H "Content-Type: application/json" \
  -d '{
    "name": "Contact us",
    "definition": {
      "slug": "contact-us",
      "pages": [{"fields": [
        {"key": "first_name", "label": "First name", "required": true, "width": 50, "mapsTo": "contact.first_name"},
        {"key": "email", "type": "email", "label": "E-mail", "required": true, "width": 50, "mapsTo": "contact.email"},
        {"key": "budget", "type": "number", "label": "Budget"},
        {"key": "why", "type": "textarea", "label": "What is it for?", "visibleIf": {"field": "budget", "op": "gt", "value": 1000}},
        {"key": "plan", "type": "file", "label": "A plan", "accept": [".pdf", ".png"]}
      ]}],
      "contact": {"matchBy": ["email"], "onMatch": "fill_empty", "tags": ["web-lead"]},
      "after": {"message": "Thank you, {{answer.first_name}}."},
      "embed": {"allowedOrigins": ["https://shop.example.com"]}
    }
  }'
