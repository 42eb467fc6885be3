//! The stable error codes. Answers name them, and `/docs/errors/<code>` explains each from this same table.

macro_rules! codes {
    ($($variant:ident = $name:literal, $status:literal, $title:literal, $cause:literal, $fix:literal;)*) => {
        /// A stable name for one kind of failure.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $(#[doc = $title] $variant,)*
        }

        impl ErrorCode {
            /// All codes, in the order of the documentation.
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$variant),*];

            /// The name in answers and addresses: `key_deactivated`.
            pub const fn as_str(self) -> &'static str {
                match self { $(ErrorCode::$variant => $name,)* }
            }

            /// The HTTP status that API 2.0 answers with it.
            pub const fn status(self) -> u16 {
                match self { $(ErrorCode::$variant => $status,)* }
            }

            /// What happened, in one sentence.
            pub const fn title(self) -> &'static str {
                match self { $(ErrorCode::$variant => $title,)* }
            }

            /// Why it happens.
            pub const fn cause(self) -> &'static str {
                match self { $(ErrorCode::$variant => $cause,)* }
            }

            /// What to do.
            pub const fn fix(self) -> &'static str {
                match self { $(ErrorCode::$variant => $fix,)* }
            }
        }
    };
}

codes! {
    KeyMissing = "key_missing", 401, "The request has no API key",
        "There is no Authorization header, or it is empty or of another scheme.",
        "Send the key as `Authorization: Bearer ks_…`.";
    KeyUnknown = "key_unknown", 401, "The API key is not known",
        "The text has not the form of a key (the answer's hint says in which way), no key here has its id, or it is not the key's secret. For safety the answer is the same for the last two.",
        "Compare the key's public id and last four characters with the list under Settings > API keys. If the secret is lost, rotate the key.";
    KeyInUrl = "key_in_url", 401, "The API key was sent in the address",
        "A key in a query string ends up in logs, histories and referrers of others, so it must now be considered leaked. It was not accepted.",
        "Rotate the key, and send the new secret in the Authorization header.";
    KeyAmbiguous = "key_ambiguous", 401, "The request has two different credentials",
        "More than one Authorization header was sent, and they disagree.",
        "Send exactly one key.";
    KeyDeactivated = "key_deactivated", 401, "The API key is deactivated",
        "Somebody switched the key off, or its secret was found in public. The secret that was sent is right.",
        "An admin can reactivate it under Settings > API keys; a key whose secret was found in public needs a rotation first.";
    KeyDeleted = "key_deleted", 401, "The API key is deleted",
        "The key was deleted, by somebody or after 90 days without any use. Its secret is right.",
        "For 30 days an admin can restore it, with the same secret, under Settings > API keys > Deleted. Afterwards create a new key.";
    KeyExpired = "key_expired", 401, "The API key has expired",
        "The key was given an end, and that has come. Its secret is right.",
        "An admin can move or remove the key's expiry on its page.";
    KeySecretRetired = "key_secret_retired", 401, "This secret of the API key does not count any more",
        "The key was rotated, or a rotation was taken back, and the time in which this secret worked is over.",
        "Use the secret that the key has now. If that was lost, rotate the key again.";
    LocationDeleted = "location_deleted", 401, "The location is deleted",
        "Somebody deleted the location of the key. Its secret is right, and neither the key nor anything else of the location is lost yet.",
        "For 30 days whoever manages the agency's locations can restore it, with all its keys, under Locations > Deleted or by POST /locations/{locationId}/restore.";
    TenantSuspended = "tenant_suspended", 403, "The location or agency is suspended",
        "While a tenant is suspended its keys are refused. None of them is deleted meanwhile. What is sent to its inbound webhooks is answered with status 503 and `Retry-After`, so that senders come again.",
        "Ask the agency, or the operator of this instance, to resume it.";
    AddressNotAllowed = "address_not_allowed", 403, "The API key may not be used from this address",
        "The key has a list of allowed addresses, and the request came from another.",
        "Add the address to the key's list, or call from an allowed one. Behind a proxy, the operator must set KEYSTEAD_TRUSTED_PROXIES.";
    OriginNotAllowed = "origin_not_allowed", 403, "The API key may not be used from this site",
        "The key has a list of sites whose pages may use it, and the request came from a page of another.",
        "Add the origin to the key's list as browsers send it, such as https://shop.example.com, or call from a server, without an Origin header.";
    ScopeMissing = "scope_missing", 401, "The API key lacks a scope",
        "The operation needs a scope that the key was not given. The answer names it under `required`.",
        "Add the scope on the key's page; its secret stays the same.";
    AgencyKeyNeeded = "agency_key_needed", 401, "This operation needs an agency key",
        "A location key acts inside its one location only.",
        "Create an agency key with the needed scope.";
    LocationKeyNeeded = "location_key_needed", 401, "This operation needs a location key",
        "On API 1.0 the key chooses the location, and an agency key has none.",
        "Use a location key, or the same operation of API 2.0 with `locationId`.";
    LocationNotAccessible = "location_not_accessible", 403, "The key has no access to this location",
        "The location belongs to somebody else or does not exist. The answer is the same for both.",
        "Check `locationId`. A location key needs none.";
    SignInNeeded = "sign_in_needed", 403, "Please confirm your password",
        "What gives a program more authority needs a sign-in of the last 15 minutes.",
        "Sign in again and repeat it.";
    NotAllowed = "not_allowed", 403, "Your role does not allow this",
        "Members may do what their role and locations allow.",
        "Ask an agency admin.";
    SignInIsTheirs = "sign_in_is_theirs", 403, "What somebody signs in with is theirs alone to change",
        "A password or an e-mail address was sent for a user who exists: whoever changes either could sign in as them.",
        "Leave `password` and `email` away. Users change their password on their account page; the operator sets one by `keystead users set-password`.";
    Escalation = "escalation", 403, "A key cannot give more than it has",
        "A key can create, change, rotate or reactivate only keys, and make, change or delete only users, whose kind, scopes, locations, addresses and expiry lie within its own. A user has all scopes of the role, no end, and signs in from everywhere.",
        "Use a key with wider authority, or do it in the app.";
    NotFound = "not_found", 404, "It is not there",
        "The id is unknown here: it belongs to somebody else, was deleted, or never existed. The answer is the same for all.",
        "Check the id and the location.";
    RouteUnknown = "route_unknown", 404, "There is no such route",
        "The method and path together name no operation of this instance.",
        "Check the method and the spelling of the path. Where the server can tell what is wrong, the answer's hint says it.";
    MethodNotAllowed = "method_not_allowed", 405, "This address takes POST only",
        "The address of an inbound webhook was opened or asked for by another method.",
        "Send by POST.";
    NotSigned = "not_signed", 401, "It is not signed as it is to be",
        "The senders of this inbound webhook are to sign what they send, and this is not signed, not with its secret, or was signed more than five minutes ago.",
        "Sign each try anew as Standard Webhooks says, with the secret that was shown with the address.";
    PlaceholderInPath = "placeholder_in_path", 400, "The path has the name of a parameter instead of an id",
        "The path holds a text such as {userId}, which the client should have replaced.",
        "Put the id of the thing into the path, or use another version of the client.";
    VersionUnknown = "version_unknown", 400, "The Version header is not known",
        "API 2.0 shapes are chosen by the Version header.",
        "Send 2021-07-28, 2021-04-15, 2023-02-21, v3 or legacy, or leave the header away.";
    InvalidInput = "invalid_input", 422, "The input is not valid",
        "One or more fields are missing, of the wrong type, or not known. The answer lists each.",
        "Mend what the answer lists. Nothing was stored.";
    FieldUnknown = "field_unknown", 400, "There is no such field to search by",
        "A filter or a sort names a field that what is searched for does not have in this location.",
        "Use a field as answers spell it, or `customFields.` and the id of one of the location's custom fields.";
    PathUnknown = "path_unknown", 400, "A part of the path is none of its values",
        "The path has a place for one of a few words, and something else stands there.",
        "Put one of the words there that the answer names.";
    MalformedBody = "malformed_body", 400, "The body is not readable",
        "The body is not a JSON object: wrong syntax, wrong encoding, a name twice, or nested too deeply.",
        "Send one JSON object in UTF-8 with Content-Type: application/json.";
    MediaType = "media_type", 415, "The body has an unsupported type",
        "Bodies are JSON.",
        "Send Content-Type: application/json, without Content-Encoding.";
    BodyTooLarge = "body_too_large", 413, "The body is too large",
        "Bodies may have up to 1 MB.",
        "Send less at once.";
    RequestTimeout = "request_timeout", 408, "The request took too long to arrive",
        "A body must arrive within 30 seconds; each 16 KB of it buy a second more.",
        "Send it again over a better connection.";
    DuplicateContact = "duplicate_contact", 400, "A contact with the same e-mail address or phone number exists",
        "The location does not allow duplicates. The answer names the contact under `meta`.",
        "Update that contact, use POST /contacts/upsert, or allow duplicates in the location's settings.";
    DuplicateOpportunity = "duplicate_opportunity", 400, "The contact has an opportunity in this pipeline",
        "The location does not allow a contact several opportunities in one pipeline.",
        "Update that one, which a search by `contact_id` finds, use POST /opportunities/upsert, or allow duplicates in the location's settings.";
    InUse = "in_use", 409, "It is in use",
        "Opportunities are in the stage or in the pipeline that would be gone.",
        "Move them to another stage, or delete them, first.";
    Conflict = "conflict", 409, "Somebody else was faster",
        "The thing was changed since you read it.",
        "Read it again and repeat your change.";
    PreconditionFailed = "precondition_failed", 412, "It is not what you have seen",
        "The request names in `If-Match` the ETag of what it wants to change, and that was changed since.",
        "Read it again, and repeat your change with its new ETag. Nothing was stored.";
    KeyState = "key_state", 409, "The state of the key does not allow this",
        "The key is already there, or deleted, or replaced, or no rotation is running.",
        "Read the key and look at its `state` and `rotation`.";
    RotationRunning = "rotation_running", 409, "A rotation is running",
        "Both secrets of the running rotation are in use, so a third one would cut one of them off.",
        "Finish or cancel the running rotation first.";
    KeyCap = "key_cap", 409, "There are too many keys",
        "An owner may have up to 100 keys that are not deleted; the operator can change the number.",
        "Delete keys that are not used any more.";
    NameTaken = "name_taken", 409, "The name or address is taken",
        "It must be unique, and another has it.",
        "Choose another, or use the one that exists.";
    LastAdmin = "last_admin", 409, "This is the last admin",
        "Without any enabled agency admin nobody could manage the agency.",
        "Make somebody else an agency admin first.";
    IdempotencyMismatch = "idempotency_mismatch", 422, "The Idempotency-Key was used for another request",
        "The same key came with another body within 24 hours.",
        "Use a new Idempotency-Key for each new request.";
    SubmissionDecided = "submission_decided", 409, "Somebody has decided about the submission already",
        "What is held for review is accepted or discarded once, and that was done.",
        "Ask for the submission to see what became of it.";
    IdempotencyInFlight = "idempotency_in_flight", 409, "The same request is still running",
        "A request with this Idempotency-Key has not been answered yet.",
        "Wait for its answer, or repeat it in a moment.";
    RateLimited = "rate_limited", 429, "Too many requests",
        "The limit of requests in 10 seconds or in a day is used up, or too many failed attempts came from your address.",
        "Wait as long as Retry-After says. The X-RateLimit headers show what is left.";
    Overloaded = "overloaded", 503, "The server has too much to do",
        "More was asked of this server than it can do in time, so some requests are not begun. Nothing was changed.",
        "Repeat the request after Retry-After. If it happens often, ask the operator: a faster disk or another server helps.";
    Unavailable = "unavailable", 503, "The database does not answer",
        "Keystead answers 503 rather than guess. Nothing was changed, or the outcome is not known.",
        "Repeat the request after Retry-After; with an Idempotency-Key that is always safe.";
    SecretNotRead = "secret_not_read", 503, "This server does not know the newest instance secret",
        "The key was made with a version of the instance secret that was added after this server had started.",
        "Tell the operator to restart the server; until then use a key that was made before.";
    StorageFull = "storage_full", 507, "There is no space left to write",
        "The disk of the database is full. Nothing was changed. Whatever only reads goes on.",
        "Tell the operator. Repeat the request when there is space again; with an Idempotency-Key that is always safe.";
    Internal = "internal", 500, "Something went wrong here",
        "A defect of Keystead. The cause is in the server's log under the request id, which is the answer's `traceId`.",
        "Tell the operator the `traceId`.";
}

impl ErrorCode {
    /// How often in a minute the log tells a failure with its cause: a defect of ours is looked for by the request,
    /// what goes on by its number.
    pub fn lines_a_minute(self) -> u64 {
        if self == Self::Internal { 20 } else { 1 }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}
