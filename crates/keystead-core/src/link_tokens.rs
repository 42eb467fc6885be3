//! Links of one contact each: whoever opens one is known.

use keystead_model::{
    ContactId, LinkId, LinkTokenId, UtcMs,
    click::{LinkToken, TOKEN_LENGTH, TokenSource},
    event::EventKind,
    id::Id,
    link::Link,
    page::{Page, Window},
    scope::Scope,
};
use keystead_store::link_tokens;

use crate::{
    App, Error, LocationContext, Result,
    error::Noun,
    events::{Fields, Happened, put},
    idempotency::{self, Lost},
    operate::InLocation,
    secret::token_hash,
};

/// How far the clock of another program may be ahead of ours.
const CLOCKS_DIFFER_MS: i64 = 60_000;

/// A link of a contact that was just made. Only now is it known whole.
#[derive(Clone, Debug)]
pub struct MintedLink {
    /// What is kept of it.
    pub token: LinkToken,
    /// The path of its address: `/l/{slug}/{token}`.
    pub path: String,
}

impl App {
    /// Makes a link of a contact's own. Where it leads may say anything of the contact, so whoever makes one must be allowed to read
    /// contacts. `handed_over_at` is when the message that brings it goes out, if it is known.
    pub async fn mint_link_token(
        &self,
        context: &LocationContext,
        link: LinkId,
        contact: ContactId,
        source: TokenSource,
        handed_over_at: Option<UtcMs>,
    ) -> Result<MintedLink> {
        context.authority.require(Scope::ContactsRead)?;
        if handed_over_at.is_some_and(|at| at.0 > context.authority.now().0 + CLOCKS_DIFFER_MS) {
            return Err(Error::invalid("handedOverAt", "must not be in the future: say it when the message goes out"));
        }
        let run = move |operation: &mut InLocation<'_, '_>| {
            let id: LinkTokenId = operation.new_id();
            // Named first, so that a repeated request finds it and not its link.
            idempotency::about(operation.tx, &operation.context.authority, id.as_str())?;
            let minted = operation.mint_link(id, link, contact, source, handed_over_at)?;
            operation.tell_of_token(EventKind::LinkTokenCreated, &minted.token)?;
            Ok(minted)
        };
        // Nobody has the token of an answer that was lost: the link gets another.
        let recover = move |operation: &mut InLocation<'_, '_>, lost: &Lost| {
            let token = operation.link_token(link, lost.id()?)?;
            operation.mint_link(token.id, link, contact, source, handed_over_at)
        };
        self.operate(context, Scope::LinksWrite, run, recover).await
    }

    /// Links of contacts, newest first; of one, if it is named.
    pub async fn list_link_tokens(
        &self,
        context: &LocationContext,
        link: LinkId,
        contact: Option<ContactId>,
        window: Window<LinkTokenId>,
    ) -> Result<Page<LinkToken>> {
        self.read(context, Scope::LinksRead, move |operation| {
            operation.find::<Link>((), link)?;
            Ok(link_tokens::list(operation.tx, operation.context.location, link, contact, &window)?)
        })
        .await
    }

    /// Ends a link of a contact: who opens it is led on, and is nobody.
    pub async fn revoke_link_token(&self, context: &LocationContext, link: LinkId, id: LinkTokenId) -> Result<()> {
        let run = move |operation: &mut InLocation<'_, '_>| {
            let mut token = operation.link_token(link, id)?;
            if token.revoked_at.is_none() {
                token.revoked_at = Some(operation.now());
                link_tokens::revoke(operation.tx, operation.context.location, id, operation.now())?;
                operation.tell_of_token(EventKind::LinkTokenRevoked, &token)?;
            }
            Ok(())
        };
        self.operate(context, Scope::LinksWrite, run, |_, _| Ok(())).await
    }
}

impl InLocation<'_, '_> {
    /// What stands for `{{trigger_link.ID}}` in what is sent to a contact: a link of its own.
    pub(crate) fn mint_link(
        &mut self,
        id: LinkTokenId,
        link: LinkId,
        contact: ContactId,
        source: TokenSource,
        handed_over_at: Option<UtcMs>,
    ) -> Result<MintedLink> {
        let slug = self.find::<Link>((), link)?.slug;
        self.require_contact(contact)?;
        // The random digits of two ids: they come out the same when the transaction runs again, and cannot be guessed.
        let ids: [Id<()>; 2] = [self.new_id(), self.new_id()];
        let digits = ids.iter().flat_map(|id| id.as_str().chars().rev().take(12));
        let secret: String = digits.take(TOKEN_LENGTH).collect();
        let created_at = self.now();
        let token = LinkToken { id, link, contact, source, created_at, handed_over_at, revoked_at: None };
        link_tokens::save(self.tx, self.context.location, &token, &token_hash(&secret))?;
        Ok(MintedLink { token, path: format!("/l/{}/{secret}", slug.as_str()) })
    }

    fn link_token(&mut self, link: LinkId, id: LinkTokenId) -> Result<LinkToken> {
        let found = link_tokens::find(self.tx, self.context.location, link, id)?;
        found.ok_or_else(|| Error::NotFound(Noun::LinkToken, id.to_string()))
    }

    fn tell_of_token(&mut self, kind: EventKind, token: &LinkToken) -> Result<()> {
        let mut fields = Fields::new();
        put(&mut fields, "tokenId", Some(token.id.as_str()));
        put(&mut fields, "source", Some(token.source.as_str()));
        let (before, after) = if token.revoked_at.is_some() { (Some(fields), None) } else { (None, Some(fields)) };
        let happened = Happened::to(kind, token.link.as_str()).of(Some(token.contact));
        self.tell(happened.with(before, after)).map(drop)
    }
}
