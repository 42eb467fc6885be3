//! What was done, in words: one sentence for each kind of event. A kind without one does not compile.

use keystead_model::event::EventKind;

/// What somebody did, after their name; `*` stands for what they did it to.
pub(super) const fn done(kind: EventKind) -> &'static str {
    use EventKind as K;
    match kind {
        K::ContactCreated => "added the contact *",
        K::ContactUpdated => "changed the contact *",
        K::ContactDeleted => "deleted the contact *",
        K::ContactRestored => "brought the contact * back from the trash",
        K::ContactMerged => "merged another contact into *",
        K::ContactEnrolled => "enrolled *",
        K::ContactWithdrawn => "withdrew * from what they were enrolled in",
        K::NoteCreated => "wrote a note about *",
        K::NoteUpdated => "changed a note about *",
        K::NoteDeleted => "deleted a note about *",
        K::TaskCreated => "added the task *",
        K::TaskUpdated => "changed the task *",
        K::TaskDeleted => "deleted the task *",
        K::TagCreated => "added the tag *",
        K::TagUpdated => "changed the tag *",
        K::TagDeleted => "deleted the tag *",
        K::CustomValueCreated => "added the custom value *",
        K::CustomValueUpdated => "changed the custom value *",
        K::CustomValueDeleted => "deleted the custom value *",
        K::CustomFieldCreated => "added the custom field *",
        K::CustomFieldUpdated => "changed the custom field *",
        K::CustomFieldDeleted => "deleted the custom field *",
        K::FileUploaded => "uploaded the file *",
        K::PipelineCreated => "added the pipeline *",
        K::PipelineUpdated => "changed the pipeline *",
        K::PipelineDeleted => "deleted the pipeline *",
        K::LostReasonCreated => "added the lost reason *",
        K::LostReasonUpdated => "changed the lost reason *",
        K::LostReasonDeleted => "deleted the lost reason *",
        K::OpportunityCreated => "added the opportunity *",
        K::OpportunityUpdated => "changed the opportunity *",
        K::OpportunityRestored => "brought the opportunity * back from the trash",
        K::OpportunityDeleted => "deleted the opportunity *",
        K::BusinessCreated => "added the business *",
        K::BusinessUpdated => "changed the business *",
        K::BusinessDeleted => "deleted the business *",
        K::WorkflowCreated => "added the workflow *",
        K::WorkflowUpdated => "changed the workflow *",
        K::WorkflowDeleted => "deleted the workflow *",
        K::CampaignCreated => "added the campaign *",
        K::CampaignUpdated => "changed the campaign *",
        K::CampaignDeleted => "deleted the campaign *",
        K::LinkCreated => "added the trigger link *",
        K::LinkUpdated => "changed the trigger link *",
        K::LinkDeleted => "deleted the trigger link *",
        K::LinkClicked => "saw a click on the trigger link *",
        K::LinkClickClassified => "changed who clicked on the trigger link *",
        K::LinkTokenCreated => "made a personal address of the trigger link *",
        K::LinkTokenRevoked => "ended a personal address of the trigger link *",
        K::RecurringTaskCreated => "added the recurring task *",
        K::RecurringTaskUpdated => "changed the recurring task *",
        K::RecurringTaskDeleted => "deleted the recurring task *",
        K::FormCreated => "added the form *",
        K::FormUpdated => "changed the form *",
        K::FormDeleted => "deleted the form *",
        K::FormPublished => "published the form *",
        K::FormUnpublished => "took the form * offline",
        K::FormHeld => "sent in the form *, which waits for review",
        K::FormDiscarded => "discarded a submission to the form *",
        K::FormSubmitted => "sent in the form *",
        K::SurveyCreated => "added the survey *",
        K::SurveyUpdated => "changed the survey *",
        K::SurveyDeleted => "deleted the survey *",
        K::SurveySubmitted => "sent in the survey *",
        K::TemplateCreated => "added the template *",
        K::TemplateUpdated => "changed the template *",
        K::TemplateDeleted => "deleted the template *",
        K::ImportStarted => "started the import of *",
        K::ImportEnded => "ended the import of *",
        K::SavedViewCreated => "saved the view *",
        K::SavedViewUpdated => "changed the view *",
        K::SavedViewDeleted => "deleted the view *",
        K::SavedViewRestored => "brought the view * back",
        K::LocationCreated => "added the location *",
        K::LocationUpdated => "changed the location *",
        K::LocationSuspended => "suspended the location *. Its keys stopped with it.",
        K::LocationResumed => "resumed the location *. Its keys work again.",
        K::LocationDeleted => "deleted the location *",
        K::LocationRestored => "restored the location *",
        K::LocationPurged => "removed what was left of the location *, 30 days after it was deleted",
        K::AgencyCreated => "made the agency *",
        K::AgencyUpdated => "changed the agency *",
        K::AgencySuspended => "suspended the agency *. All keys stopped with it.",
        K::AgencyResumed => "resumed the agency *. Its keys work again.",
        K::AgencySigningKeyCreated => "made a new signing key for the webhooks of the agency *",
        K::KeyCreated => "created the key *",
        K::KeyUpdated => "changed the key *",
        K::KeyDeactivated => "deactivated the key *",
        K::KeyReactivated => "reactivated the key *",
        K::KeyKept => "kept the key *: its 90 days began anew",
        K::KeyRotated => "rotated the key *",
        K::KeyRotationCancelled => "cancelled the rotation of the key *",
        K::KeyRotationFinished => "finished the rotation of the key *: its old secret ended",
        K::KeyTookOver => "saw the first use of *, which ends the key that it replaces",
        K::KeyReplaced => "replaced the key *, which was lost",
        K::KeyExposed => "stopped the key *: its secret was found in public",
        K::KeyExpired => "refuses calls with the key *: it has expired",
        K::KeyHeld => "holds the key *: nobody is there who could be told of its deletion",
        K::KeyReleased => "holds the key * no longer: somebody can be told again",
        K::KeyDeleted => "deleted the key *",
        K::KeyRestored => "restored the key *",
        K::KeyRevocationReapplied => "ended the key * again, as before the backup was restored",
        K::UserInvited => "invited *",
        K::UserInvitationWithdrawn => "withdrew the invitation of *",
        K::UserCreated => "made the member *",
        K::UserUpdated => "changed the member *",
        K::UserDeleted => "deleted the member *",
        K::UserRoleChanged => "changed the role of *",
        K::UserDisabled => "disabled the member *",
        K::UserEnabled => "enabled the member *",
        K::UserPasswordChanged => "changed the password of *",
        K::UserPasswordReset => "set a new password for *",
        K::UserOperatorGranted => "made * an operator of the instance",
        K::UserOperatorWithdrawn => "made * an operator no longer",
        K::UserNoticesChanged => "chose what * is told",
        K::UserRevocationReapplied => "took rights from * again, as before the backup was restored",
        K::WebhookEndpointCreated => "added the webhook *",
        K::WebhookEndpointUpdated => "changed the webhook *",
        K::WebhookEndpointDeleted => "deleted the webhook *",
        K::InboundWebhookCreated => "added the inbound webhook *",
        K::InboundWebhookUpdated => "changed the inbound webhook *",
        K::InboundWebhookDeleted => "deleted the inbound webhook *",
        K::InboundWebhookReceived => "took what came in by the inbound webhook *",
        K::WebhookEndpointDisabled => "disabled the webhook *, which took nothing any more",
        K::SessionStarted => "signed in as *",
        K::SessionEnded => "signed * out",
        K::SessionRefused => "failed to sign in as *",
        K::InstanceSetUp => "set up this instance for *",
        K::InstanceSweepPaused => "paused the deletion of unused keys",
        K::InstanceSweepResumed => "let the deletion of unused keys go on",
        K::InstanceDeliveriesPaused => "paused what is sent to all webhooks",
        K::InstanceDeliveriesResumed => "let what is sent to all webhooks go on",
        K::AuditErased => "erased what was personal about * in this log",
    }
}

/// The same where somebody did it to themselves.
pub(super) const fn done_to_oneself(kind: EventKind) -> Option<&'static str> {
    use EventKind as K;
    Some(match kind {
        K::SessionStarted => "signed in",
        K::SessionEnded => "signed out",
        K::UserCreated => "accepted their invitation",
        K::UserUpdated => "changed their own settings",
        K::UserPasswordChanged => "changed their password",
        K::UserNoticesChanged => "chose what they are told",
        K::UserDisabled => "disabled themselves",
        K::UserRoleChanged => "changed their own role",
        _ => return None,
    })
}

/// How it looks: an icon, and a class where it deserves a second look.
pub(super) const fn look(kind: EventKind) -> (&'static str, &'static str) {
    use keystead_model::event::{EventKind as K, Subject as S};
    match kind {
        K::KeyExposed | K::SessionRefused | K::KeyRevocationReapplied | K::UserRevocationReapplied => ("shield", "bad"),
        K::KeyRotated | K::KeyReplaced => ("rotate", "acc"),
        K::KeyDeactivated
        | K::KeyDeleted
        | K::KeyExpired
        | K::KeyHeld
        | K::LocationSuspended
        | K::LocationDeleted
        | K::LocationPurged
        | K::AgencySuspended
        | K::UserDisabled
        | K::UserDeleted
        | K::WebhookEndpointDisabled
        | K::InstanceSweepPaused
        | K::InstanceDeliveriesPaused
        | K::AuditErased => ("power", "warn"),
        K::KeyCreated | K::KeyReactivated | K::KeyRestored => ("key", "good"),
        _ => match kind.subject() {
            S::Key => ("key", ""),
            S::Location => ("pin", ""),
            S::Agency => ("home", ""),
            S::User | S::Invitation => ("users", ""),
            S::Session => ("lock", ""),
            S::WebhookEndpoint | S::InboundWebhook => ("out", ""),
            S::Instance | S::AuditLog => ("screen", ""),
            S::Opportunity | S::Pipeline | S::LostReason => ("target", ""),
            S::Tag => ("tag", ""),
            S::Contact | S::Business => ("user", ""),
            S::Task | S::RecurringTask => ("check", ""),
            S::Note | S::File | S::Form | S::Survey | S::Template | S::Import => ("doc", ""),
            S::CustomValue | S::CustomField | S::Workflow | S::Campaign | S::Link | S::SavedView => ("list", ""),
        },
    }
}

#[cfg(test)]
mod tests {
    use keystead_model::event::Subject;

    use super::*;

    #[test]
    fn every_kind_names_what_it_was_done_to_and_has_an_icon() {
        let icons = crate::assets::text("icons.svg");
        for kind in EventKind::ALL {
            // Of all keys, or of all webhooks.
            let of_all = kind.subject() == Subject::Instance && *kind != EventKind::InstanceSetUp;
            assert_eq!(done(*kind).matches('*').count(), usize::from(!of_all), "{kind:?}");
            assert!(done_to_oneself(*kind).is_none_or(|sentence| !sentence.contains('*')), "{kind:?}");
            let (icon, class) = look(*kind);
            assert!(icons.contains(&format!("id=\"i-{icon}\"")), "{icon}");
            assert!(["", "good", "warn", "bad", "acc"].contains(&class));
        }
    }
}
