# Looks at one message by hand. SIGNATURE is its header X-GHL-Signature, BODY and PEM are files.
printf %s "$SIGNATURE" | base64 -d > "$BODY.signature"
openssl pkeyutl -verify -pubin -inkey "$PEM" -rawin -in "$BODY" -sigfile "$BODY.signature"
