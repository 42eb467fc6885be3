//! What was just done, said once on the next page.
//!
//! A cookie carries it over the redirect: the name of one of the sentences below and what it is about, nothing else, so
//! that whoever could plant one can only say what is here. It works without a script, on every node.

use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, header};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::{Web, cookies::Cookie};

macro_rules! done {
    ($($variant:ident = $name:literal, $class:literal, $text:literal $(, undo $undo:literal)?;)*) => {
        /// Something that was done, or was not. A `*` in its sentence stands for what it is about, and one in the address that
        /// undoes it for what names that.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Done { $($variant,)* }

        impl Done {
            const ALL: &[Self] = &[$(Self::$variant),*];

            const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            const fn class(self) -> &'static str {
                match self { $(Self::$variant => $class,)* }
            }

            const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// Where it is undone, within its place.
            const fn undo(self) -> Option<&'static str> {
                match self { $(Self::$variant => first_of(&[$($undo)?]),)* }
            }
        }
    };
}

const fn first_of(known: &[&'static str]) -> Option<&'static str> {
    match known {
        [first, ..] => Some(*first),
        [] => None,
    }
}

done! {
    Nothing = "nothing", "warn", "You were signed out; nothing was changed.";
    SignedOut = "signed-out", "good", "You are signed out.";
    Joined = "joined", "good", "You have joined as *.";
    PasswordChanged = "password-changed", "good", "Your password is changed. All other sessions have ended.";
    ZoneChosen = "zone-chosen", "good", "Times are shown in *.";
    ZoneOfBrowser = "zone-of-browser", "good", "Times are shown in your browser’s zone.";
    SessionEnded = "session-ended", "good", "* is signed out.";
    SessionWasOver = "session-was-over", "warn", "That session had ended already.";
    KeyKept = "key-kept", "good", "* has its full 90 days again.";
    KeySaved = "key-saved", "good", "* is saved.";
    KeySavedAsNamesake = "key-saved-as-namesake", "warn", "* is saved. Another key of its owner has the same name.";
    KeyDeactivated = "key-deactivated", "good", "* is switched off: every call with it is refused, within a second everywhere.", undo "/settings/keys/*/reactivate";
    KeyReduced = "key-reduced", "good", "* keeps only the scopes that it used in 30 days.";
    KeyReactivated = "key-reactivated", "good", "* is switched on: calls with it are answered again.";
    KeyDeleted = "key-deleted", "good", "* is deleted: every call with it is refused. For 30 days it can be restored.", undo "/settings/keys/*/restore";
    KeyRestored = "key-restored", "good", "* is restored, with the same secret and its full 90 days.";
    KeyRestoredOff = "key-restored-off", "warn", "* is restored and switched off, with its full 90 days.";
    RotationCancelled = "rotation-cancelled", "good", "The rotation of * is taken back: its old secret stays, the new one has ended.";
    RotationFinished = "rotation-finished", "good", "The old secret of * has ended: only the new one works.";
    ContactAdded = "contact-added", "good", "* is added.";
    ContactSaved = "contact-saved", "good", "* is saved.";
    ContactTrashed = "contact-trashed", "good", "* is in the trash, with all that belongs to them; after 30 days they are gone.", undo "/contacts/trash/*/restore";
    ContactsTrashed = "contacts-trashed", "good", "# moved to the trash; after 30 days they are gone.", undo "/contacts/trash/*/restore";
    ContactsRestored = "contacts-restored", "good", "# brought back from the trash.";
    ContactsRestoredInPart = "contacts-restored-in-part", "warn", "# brought back from the trash. The others are not there any more, or somebody else has their e-mail address or phone number by now.";
    ChosenGone = "chosen-gone", "warn", "None of the chosen contacts is there any more: nothing was done.";
    ContactsTagged = "contacts-tagged", "good", "The tags are added to #.";
    ContactsUntagged = "contacts-untagged", "good", "The tags are taken from #.";
    ContactsMerged = "contacts-merged", "good", "* has now what both had; the other one is in the trash.";
    NothingChosen = "nothing-chosen", "warn", "Nothing was changed: choose contacts first, and name a tag where one is added or removed.";
    NoteAdded = "note-added", "good", "The note about * is saved.";
    NoteDeleted = "note-deleted", "good", "The note about * is deleted.";
    TaskAdded = "task-added", "good", "The task * is added.";
    TaskFinished = "task-finished", "good", "The task * is done.", undo "/contacts/*/finish";
    TaskReopened = "task-reopened", "good", "The task * is open again.", undo "/contacts/*/finish";
    TagsAdded = "tags-added", "good", "The tags of * are saved.";
    TagRemoved = "tag-removed", "good", "The tag is taken from *.";
    AgencySaved = "agency-saved", "good", "* is saved.";
    LocationAdded = "location-added", "good", "* is added.";
    LocationSaved = "location-saved", "good", "* is saved.";
    LocationSuspended = "location-suspended", "good", "* is suspended: its keys are refused, and none of them is deleted meanwhile.";
    LocationResumed = "location-resumed", "good", "* goes on: its keys are answered again, with their full 90 days.";
    LocationDeleted = "location-deleted", "good", "* is deleted: its keys are refused, within a second everywhere. For 30 days it can be restored, with everything in it.", undo "/locations/*/restore";
    LocationRestored = "location-restored", "good", "* is restored: its keys are answered again, with their full 90 days.";
    OpportunityAdded = "opportunity-added", "good", "* is added.";
    OpportunitySaved = "opportunity-saved", "good", "* is saved.";
    OpportunityMoved = "opportunity-moved", "good", "* moved to *.", undo "/opportunities/*";
    OpportunityOpened = "opportunity-opened", "good", "* is open again.", undo "/opportunities/*";
    OpportunityWon = "opportunity-won", "good", "* is won.", undo "/opportunities/*";
    OpportunityLost = "opportunity-lost", "good", "* is lost.", undo "/opportunities/*";
    OpportunityAbandoned = "opportunity-abandoned", "good", "* is abandoned.", undo "/opportunities/*";
    OpportunityDeleted = "opportunity-deleted", "good", "* is deleted.";
    ViewSaved = "view-saved", "good", "The view * is saved.";
    ViewOvertaken = "view-overtaken", "warn", "Nothing was saved: somebody else has changed the view * meanwhile. Save again to keep what stands here, or open the view to see what it is now.";
    ViewDeleted = "view-deleted", "good", "The view * is deleted.", undo "/views/*/restore";
    ViewRestored = "view-restored", "good", "The view * is back.";
    ViewNotRestored = "view-not-restored", "warn", "The view did not come back: another one has its name by now, or there is no room for it.";
    WebhookKeySwitched = "webhook-key-switched", "good", "Its messages are signed with version * of the signing key.";
    SigningKeyMade = "signing-key-made", "good", "Version * of the signing key is there. Webhooks keep theirs until you switch each to it.";
    WebhookSaved = "webhook-saved", "good", "* is saved.";
    WebhookOn = "webhook-on", "good", "* is told of events again. What it missed can be sent again below.";
    WebhookOff = "webhook-off", "good", "Nothing is sent to * any more. Its events are kept for 30 days.";
    WebhookDeleted = "webhook-deleted", "good", "* is deleted, with all that was to go there.";
    WebhookWasThere = "webhook-was-there", "warn", "This webhook was there already: the same address for the same events.";
    InboundSaved = "inbound-saved", "good", "* is saved.";
    InboundDeleted = "inbound-deleted", "good", "* is deleted: its address leads nowhere any more.";
    PayloadMapped = "payload-mapped", "good", "What came in by * was mapped again; its contact is linked below.";
    PayloadKept = "payload-kept", "warn", "What came in by * is kept: nothing says what makes a contact.";
    PayloadRefused = "payload-refused", "warn", "What came in by * still makes no contact; below stands why.";
    ExampleSent = "example-sent", "good", "An example of * is on its way.";
    DeliverySentAgain = "delivery-sent-again", "good", "* is on its way again, with the same id.";
    DeliveriesRecovered = "deliveries-recovered", "good", "On its way again, the oldest first: *.";
    NothingToRecover = "nothing-to-recover", "warn", "Nothing failed in that time.";
    LinkAdded = "link-added", "good", "* is added.";
    LinkSaved = "link-saved", "good", "* is saved.";
    LinkDeleted = "link-deleted", "good", "* is deleted: its address leads nowhere any more.";
    LinkSwitchedOn = "link-switched-on", "good", "* is switched on.", undo "/links/*/status";
    LinkSwitchedOff = "link-switched-off", "good", "* is switched off: who opens it is told that it has ended.", undo "/links/*/status";
    LinkTokenShown = "link-token-shown", "warn", "The personal link of * was made before, and its address was shown then. If nobody has it, end it and make another.";
    LinkTokenEnded = "link-token-ended", "good", "That personal link of * is ended: who opens it is led on, and is nobody.";
    ClickOfPerson = "click-of-person", "good", "That click on * was a person’s, and counts.";
    ClickOfBot = "click-of-bot", "good", "That click on * was a bot’s, and does not count.";
    PipelineAdded = "pipeline-added", "good", "* is added.";
    PipelineSaved = "pipeline-saved", "good", "* is saved.";
    PipelineDeleted = "pipeline-deleted", "good", "* is deleted.";
    LostReasonAdded = "lost-reason-added", "good", "* can be chosen where something is lost.";
    LostReasonDeleted = "lost-reason-deleted", "good", "* cannot be chosen any more. What was lost because of it stays so.";
    TagAdded = "tag-added", "good", "* is added.";
    TagSaved = "tag-saved", "good", "* is saved, on all contacts that have it.";
    TagDeleted = "tag-deleted", "good", "* is deleted, and no contact has it any more.";
    CustomFieldAdded = "custom-field-added", "good", "* is added.";
    CustomFieldSaved = "custom-field-saved", "good", "* is saved.";
    CustomFieldDeleted = "custom-field-deleted", "good", "* is deleted, with all that stood in it.";
    CustomValueAdded = "custom-value-added", "good", "* is added.";
    CustomValueSaved = "custom-value-saved", "good", "* is saved.";
    CustomValueDeleted = "custom-value-deleted", "good", "* is deleted.";
    FormAdded = "form-added", "good", "* is added. Nobody else sees it before you publish it.";
    FormSaved = "form-saved", "good", "The draft of * is saved.";
    FormDeleted = "form-deleted", "good", "* is deleted. What was submitted to it stays.";
    FormPublished = "form-published", "good", "* is published: others see it as it is now.";
    FormUnpublished = "form-unpublished", "good", "* is taken offline. Whoever opens its address finds nothing.";
    FormVersionRestored = "form-version-restored", "good", "The draft of * is what that version was. Publish it for others to see it.";
    FormFieldAdded = "form-field-added", "good", "* is added, as the last field.";
    FormFieldSaved = "form-field-saved", "good", "* is saved.";
    FormPageDeleted = "form-page-deleted", "good", "* is deleted from the draft.";
    FormFieldDeleted = "form-field-deleted", "good", "* is deleted from the draft.";
    SubmissionAccepted = "submission-accepted", "good", "The submission of * counts now.";
    SubmissionDiscarded = "submission-discarded", "good", "The submission of * is discarded. Nothing came of it.";
    OfferAccepted = "offer-accepted", "good", "The contact has the address that * gave.";
    RoleSaved = "role-saved", "good", "The role of * is saved; they were signed out, and sign in with it.";
    MemberDisabled = "member-disabled", "good", "* is disabled and signed out.";
    MemberEnabled = "member-enabled", "good", "* can sign in again.";
    InvitationWithdrawn = "invitation-withdrawn", "good", "The invitation of * is withdrawn: its link does nothing any more.";
    NoticePutAway = "notice-put-away", "good", "The notification about * is put away.";
    PreferencesSaved = "preferences-saved", "good", "Your preferences are saved.";
    ContactRestored = "contact-restored", "good", "* is restored, with all that belongs to it.";
    ContactRestoredInPart = "contact-restored-in-part", "warn", "* is restored. Opportunities whose pipelines were deleted meanwhile did not come back.";
    ContactErased = "contact-erased", "good", "The contact is erased for good, with all that belonged to it.";
    ImportFileGone = "import-file-gone", "warn", "That file is not kept any more: it waits for its import for a day. Nothing was imported from it; send it again.";
    ImportStarted = "import-started", "good", "The import of * has begun.";
    ImportTried = "import-tried", "good", "* is being tried: nothing changes by that.";
    ImportStopped = "import-stopped", "good", "The import of * is stopped. What was imported stays.";
    SweepPaused = "sweep-paused", "good", "Deletions are paused: no key is deleted for inactivity, and nobody’s 90 days run.";
    DeliveriesPaused = "deliveries-paused", "good", "Deliveries are paused: nothing is sent to webhooks, and messages wait.";
    DeliveriesResumed = "deliveries-resumed", "good", "Deliveries to webhooks go on.";
    DeliveriesSkipped = "deliveries-skipped", "good", "Deliveries to webhooks go on. What was overdue is held, and can be sent again.";
    SweepResumed = "sweep-resumed", "good", "Deletions go on, and everybody’s 90 days run.";
}

/// A sentence on a page.
#[derive(Clone, Debug)]
pub(crate) struct Flash {
    done: Done,
    about: String,
    /// What else it is about, in a sentence with two names.
    more: String,
    /// What its undoing names, where there is one.
    undo: String,
}

impl Flash {
    /// What a request carries.
    pub(crate) fn of(web: &Web, headers: &HeaderMap) -> Option<Self> {
        Self::parse(Cookie::Flash.of(web, headers)?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (name, about) = (parts.next()?, parts.next()?);
        let done = Done::ALL.iter().copied().find(|done| done.name() == name)?;
        let about = percent_decode_str(about).decode_utf8().ok()?.into_owned();
        // It becomes a part of an address: ids, and slashes between them.
        let is_named = |named: &&str| named.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_".contains(&byte));
        let undo = parts.next().filter(is_named).unwrap_or_default().to_owned();
        let more = parts.next().unwrap_or_default();
        let more = percent_decode_str(more).decode_utf8().ok()?.into_owned();
        Some(Self { done, about, more, undo })
    }

    fn to_text(&self) -> String {
        let Self { done, about, more, undo } = self;
        let [about, more] = [about, more].map(|text| utf8_percent_encode(text, NON_ALPHANUMERIC));
        format!("{}.{about}.{undo}.{more}", done.name())
    }

    /// Where it is undone, within its place.
    pub(crate) fn undo(&self) -> Option<String> {
        let address = self.done.undo().filter(|_| !self.undo.is_empty())?;
        Some(address.replace('*', &self.undo))
    }

    pub(crate) fn class(&self) -> &'static str {
        self.done.class()
    }

    pub(crate) fn icon(&self) -> &'static str {
        if self.class() == "good" { "check" } else { "alert" }
    }

    /// The sentence in parts: words, and the name that stands behind them.
    pub(crate) fn parts(&self) -> Vec<Part<'_>> {
        let mut names = [&self.about, &self.more].into_iter();
        let words = self.done.text().split_inclusive(STAND_INS);
        let part = |words: &'static str| match words.strip_suffix(STAND_INS) {
            Some(words_before) => {
                let (said, is_name) = (names.next().map_or("", String::as_str), words.ends_with('*'));
                Part { words: words_before, said, is_name }
            }
            None => Part { words, said: "", is_name: false },
        };
        words.map(part).collect()
    }
}

/// What stands for what a sentence is about: a name, or how many of something.
const STAND_INS: [char; 2] = ['*', '#'];

/// Words of a sentence, and what follows them.
pub(crate) struct Part<'f> {
    pub(crate) words: &'static str,
    pub(crate) said: &'f str,
    /// Whether that is somebody's or something's name.
    pub(crate) is_name: bool,
}

/// How long it is kept: enough for the next page, on whatever line.
const SECONDS: i64 = 60;

/// Leads to a page that says what was done, and to what.
pub(crate) fn lead(web: &Web, url: &str, done: Done, about: &str) -> Response {
    lead_back(web, url, done, about, "")
}

/// The same where it can be undone: `undo` names what, as its address has it.
pub(crate) fn lead_back(web: &Web, url: &str, done: Done, about: &str, undo: &str) -> Response {
    lead_on(web, url, done, [about, ""], undo)
}

/// The same of a sentence with two names.
pub(crate) fn lead_on(web: &Web, url: &str, done: Done, [about, more]: [&str; 2], undo: &str) -> Response {
    let mut response = Redirect::to(url).into_response();
    let flash = Flash { done, about: about.to_owned(), more: more.to_owned(), undo: undo.to_owned() };
    Cookie::Flash.set(web, &mut response, &flash.to_text(), SECONDS);
    response
}

/// Whether a request carries one, understood or not.
pub(crate) fn is_carried(web: &Web, headers: &HeaderMap) -> bool {
    Cookie::Flash.of(web, headers).is_some()
}

/// It was said, if a page was shown. What leads on to another page leaves it for that.
pub(crate) fn forget(web: &Web, response: &mut Response) {
    let kind = response.headers().get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) && !response.status().is_redirection() {
        Cookie::Flash.set(web, response, "", 0);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_flash_is_read_back_and_says_only_what_is_known() {
        let names: BTreeSet<&str> = Done::ALL.iter().map(|done| done.name()).collect();
        assert_eq!(names.len(), Done::ALL.len());
        for done in Done::ALL {
            let about = "A; name=\"x\" „ü“ \u{202e}";
            let [name, more] = [about, "B."].map(str::to_owned);
            let text = Flash { done: *done, about: name, more, undo: "a1/b-2".to_owned() }.to_text();
            assert!(HeaderValue::from_str(&text).is_ok() && !text.contains([';', ' ', ',', '"']));
            let read = Flash::parse(&text).unwrap();
            assert_eq!(read.done, *done);
            let said: String = read.parts().iter().map(|part| format!("{}{}", part.words, part.said)).collect();
            let expected = done.text().replacen(STAND_INS, about, 1).replacen(STAND_INS, "B.", 1);
            assert!(said.ends_with('.') && said == expected, "{said}");
            assert_eq!(read.undo().is_some(), done.undo().is_some());
            assert!(read.undo().is_none_or(|address| address.starts_with('/') && address.contains("a1/b-2")));
        }
        for planted in ["a b", "x?y", "x#y", "%2e%2e", "a:b"] {
            let read = Flash::parse(&format!("key-deleted.x.{planted}")).unwrap();
            assert!(read.undo.is_empty() && read.undo().is_none(), "{planted}");
        }
        for made_up in ["", "x", "key-kept", "you-have-won.x", "key-kept.%ff"] {
            assert!(Flash::parse(made_up).is_none(), "{made_up}");
        }
    }
}
