# Looks at one message by hand. ID, TIMESTAMP and SIGNATURES are its headers, SECRET is the webhook's; the body comes from stdin.
: "${SECRET:?}"
key=$(printf %s "${SECRET#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \n')
[ -n "$key" ] || { echo "The secret cannot be read."; exit 1; }
wanted=v1,$({ printf '%s.%s.' "$ID" "$TIMESTAMP"; cat; } | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64)
case " $SIGNATURES " in
  *" $wanted "*) echo "It comes from Keystead." ;;
  *) echo "It does not come from Keystead."; exit 1 ;;
esac
