//! Endpoints of webhooks.

use std::{collections::BTreeSet, time::Duration};

use keystead_model::{
    AgencyId, KeyId, LocationId, WebhookEndpointId,
    event::EventKind,
    grant::Reach,
    job::JobKind,
    page::{Page, Window},
    scope::Scope,
    text::Line,
    webhook::{
        EndpointContent, EndpointHeaders, EndpointPatch, EventNames, Health, Listener, NamedEndpoint, SealedSecrets,
        WebhookEndpoint,
    },
};
use keystead_outbound::{
    signing::WebhookSecret,
    target::{Guard, origin_of},
};
use keystead_store::{locations, queue, webhooks};
use zeroize::Zeroizing;

use super::{
    Hearing,
    hearing::{self, WholeEndpoint},
    require_no_overlap,
};
use crate::{
    App, Authority, Error, ErrorCode, Result,
    error::Noun,
    events::{Described, Fields, Happened, put},
    idempotency::Lost,
    operate::Operation,
};

/// Most endpoints of a location, or of the agency itself.
const MOST: i64 = 50;
/// An endpoint that is to be made.
#[derive(Clone, Debug)]
pub struct NewEndpoint {
    /// Of this location; without it of the one that the caller has, or of the agency.
    pub location: Option<LocationId>,
    /// Where it is.
    pub url: Line<2_000>,
    /// Of what it is told.
    pub events: EventNames,
    /// What it is for.
    pub description: Option<Line<500>>,
    /// The app that receivers expect.
    pub app_id: Option<Line<100>>,
    /// What is sent along.
    pub headers: EndpointHeaders,
}

/// An endpoint, with the secret that is shown once.
pub struct MadeEndpoint {
    /// The endpoint.
    pub whole: WholeEndpoint,
    /// What signs. Nothing else shows it; `None` where it was shown before.
    pub secret: Option<Zeroizing<String>>,
    /// Whether it was not there before.
    pub is_new: bool,
}

/// On an agency, within what somebody reaches of it.
pub(super) type OnAgency<'t, 'c> = Operation<'t, 'c, Authority>;

/// What a secret of an endpoint is bound to.
pub(super) fn row(agency: AgencyId, id: WebhookEndpointId, what: &'static str) -> [String; 3] {
    [agency.to_string(), id.to_string(), what.to_owned()]
}

impl App {
    /// Makes an endpoint, which hears of what its maker may read. One of the same owner with this URL and these events is the one
    /// that is wanted: it is switched on, and has what else is said of it.
    pub async fn create_webhook(&self, authority: &Authority, new: NewEndpoint) -> Result<MadeEndpoint> {
        authority.require(Scope::WebhooksWrite)?;
        authority.require_fresh()?;
        self.admit_url(&new.url)?;
        let secret = self.new_secret();
        let (app, text, nonces) = (self.clone(), secret.expose(), self.nonces());
        let run = move |operation: &mut OnAgency<'_, '_>| {
            let (endpoint, is_new) = operation.create_webhook(&app, &new, &text, nonces)?;
            Ok((operation.whole(endpoint)?, is_new))
        };
        let recover = |operation: &mut OnAgency<'_, '_>, lost: &Lost| Ok((operation.whole_webhook(lost.id()?)?, false));
        let is_lost = authority.claim().is_some_and(|claim| claim.lost().is_some());
        let (whole, is_new) = self.operate(authority, Scope::WebhooksWrite, run, recover).await?;
        Ok(MadeEndpoint { whole, secret: is_new.then(|| secret.expose()), is_new: is_new || is_lost })
    }

    /// Endpoints that the authority may see, newest first; those of one location, if it is named.
    pub async fn list_webhooks(
        &self,
        authority: &Authority,
        location: Option<LocationId>,
        window: Window<WebhookEndpointId>,
    ) -> Result<Page<WholeEndpoint>> {
        let reached = match (location, &authority.grant().reach) {
            (Some(location), reach) if !reach.has_location(location) => return Err(Error::NoAccess),
            (Some(location), _) => Some(BTreeSet::from([location])),
            (None, Reach::Agency) => None,
            (None, Reach::Chosen(set) | Reach::Locations(set)) => Some(set.clone()),
        };
        self.read(authority, Scope::WebhooksRead, move |operation| {
            let (agency, now) = (operation.context.agency(), operation.now());
            let Page { rows, has_more } = webhooks::list(operation.tx, agency, reached.as_ref(), &window)?;
            Ok(Page { rows: hearing::whole(operation.tx, rows, now)?, has_more })
        })
        .await
    }

    /// Endpoints that a key has set up: they hear of what it may read.
    pub async fn webhooks_set_up_by(&self, authority: &Authority, key: KeyId) -> Result<Vec<NamedEndpoint>> {
        self.read(authority, Scope::WebhooksRead, move |operation| {
            let (agency, reach) = (operation.context.agency(), &operation.context.grant().reach);
            let found = webhooks::set_up_by(operation.tx, agency, reach, &BTreeSet::from([key]))?;
            Ok(found.into_iter().map(|(_, endpoint)| endpoint).collect())
        })
        .await
    }

    /// One endpoint.
    pub async fn get_webhook(&self, authority: &Authority, id: WebhookEndpointId) -> Result<WholeEndpoint> {
        self.read(authority, Scope::WebhooksRead, move |operation| operation.whole_webhook(id)).await
    }

    /// Changes an endpoint. Where it is pointed elsewhere, or is told of other events, it hears from then on of what whoever changed
    /// it may read: nobody points what others may read somewhere else. Any other change leaves that as it is, unless it says
    /// otherwise. Nor does anybody make two of one: they would be told everything twice.
    pub async fn update_webhook(
        &self,
        authority: &Authority,
        id: WebhookEndpointId,
        patch: EndpointPatch,
    ) -> Result<WholeEndpoint> {
        authority.require(Scope::WebhooksWrite)?;
        authority.require_fresh()?;
        if let Some(url) = &patch.url {
            self.admit_url(url)?;
        }
        let (app, nonces) = (self.clone(), self.nonces());
        let run = move |operation: &mut OnAgency<'_, '_>| {
            let endpoint = operation.update_webhook(&app, id, patch.clone(), nonces)?;
            operation.whole(endpoint)
        };
        self.operate(authority, Scope::WebhooksWrite, run, move |operation, _| operation.whole_webhook(id)).await
    }

    /// Deletes an endpoint with all that was to go there.
    pub async fn delete_webhook(&self, authority: &Authority, id: WebhookEndpointId) -> Result<()> {
        let run = move |operation: &mut OnAgency<'_, '_>| operation.delete_webhook(id);
        self.operate(authority, Scope::WebhooksWrite, run, |_, _| Ok(())).await
    }

    /// Gives an endpoint a new secret. For `overlap` messages are signed with the old one, too.
    pub async fn rotate_webhook_secret(
        &self,
        authority: &Authority,
        id: WebhookEndpointId,
        overlap: Duration,
    ) -> Result<MadeEndpoint> {
        authority.require(Scope::WebhooksWrite)?;
        authority.require_fresh()?;
        let secret = self.new_secret();
        let (app, text, nonces) = (self.clone(), secret.expose(), self.nonces());
        let run = move |operation: &mut OnAgency<'_, '_>| {
            let endpoint = operation.rotate_webhook_secret(&app, id, overlap, &text, nonces)?;
            Ok((operation.whole(endpoint)?, true))
        };
        let recover = move |operation: &mut OnAgency<'_, '_>, _: &Lost| Ok((operation.whole_webhook(id)?, false));
        let (whole, is_new) = self.operate(authority, Scope::WebhooksWrite, run, recover).await?;
        Ok(MadeEndpoint { whole, secret: is_new.then(|| secret.expose()), is_new })
    }

    /// The headers of an endpoint, with their values.
    pub(super) fn webhook_headers(&self, endpoint: &WebhookEndpoint) -> Result<EndpointHeaders> {
        let Some(sealed) = &endpoint.sealed.headers else { return Ok(EndpointHeaders::default()) };
        let text = self.secret.decrypt(&row(endpoint.agency, endpoint.id, "headers"), sealed);
        let headers = text.and_then(|text| serde_json::from_str::<Vec<(String, String)>>(&text).ok());
        let headers = headers.and_then(|headers| EndpointHeaders::parse(headers).ok());
        headers.ok_or_else(Error::secret_not_read)
    }

    fn seal(&self, endpoint: (AgencyId, WebhookEndpointId), what: &'static str, text: &str, nonce: [u8; 24]) -> String {
        self.secret.encrypt(&row(endpoint.0, endpoint.1, what), text, nonce)
    }

    fn seal_headers(
        &self,
        endpoint: (AgencyId, WebhookEndpointId),
        headers: &EndpointHeaders,
        nonce: [u8; 24],
    ) -> Option<String> {
        let text = Zeroizing::new(serde_json::json!(headers.expose()).to_string());
        (!headers.expose().is_empty()).then(|| self.seal(endpoint, "headers", &text, nonce))
    }

    /// Refuses what leads nowhere in public. Each call is judged again, by every address that the name then has.
    fn admit_url(&self, url: &Line<2_000>) -> Result<()> {
        let guard = Guard::new(self.limits.webhooks.allowed.clone());
        guard.target(url.as_str()).map(drop).map_err(|refusal| {
            let text = refusal.to_string();
            Error::invalid(
                "url",
                text.strip_prefix("the URL ").map_or_else(|| format!("is refused: {text}"), str::to_owned),
            )
        })
    }

    fn new_secret(&self) -> WebhookSecret {
        let mut random = Zeroizing::new([0; 32]);
        self.entropy.fill(random.as_mut_slice());
        WebhookSecret::of(&random)
    }

    /// For the secret, and for the headers.
    fn nonces(&self) -> [[u8; 24]; 2] {
        let mut nonces = [[0; 24]; 2];
        for nonce in &mut nonces {
            self.entropy.fill(nonce);
        }
        nonces
    }
}

impl OnAgency<'_, '_> {
    pub(super) fn webhook(&mut self, id: WebhookEndpointId) -> Result<WebhookEndpoint> {
        let found = webhooks::find(self.tx, self.context.agency(), id)?;
        found.filter(|endpoint| can_see(self.context, endpoint)).ok_or_else(|| not_found(id))
    }

    fn whole(&mut self, endpoint: WebhookEndpoint) -> Result<WholeEndpoint> {
        let now = self.now();
        Ok(hearing::whole(self.tx, vec![endpoint], now)?.swap_remove(0))
    }

    fn whole_webhook(&mut self, id: WebhookEndpointId) -> Result<WholeEndpoint> {
        let endpoint = self.webhook(id)?;
        self.whole(endpoint)
    }

    /// The endpoint of an owner with this address and these events.
    fn twin(
        &mut self,
        location: Option<LocationId>,
        url: &Line<2_000>,
        events: &EventNames,
    ) -> Result<Option<WebhookEndpoint>> {
        let own = location.map(|location| BTreeSet::from([location]));
        let known = webhooks::list(self.tx, self.context.agency(), own.as_ref(), &Window::all())?.rows;
        Ok(known
            .into_iter()
            .find(|known| known.location == location && known.content.url == *url && known.content.events == *events))
    }

    fn create_webhook(
        &mut self,
        app: &App,
        new: &NewEndpoint,
        secret: &str,
        nonces: [[u8; 24]; 2],
    ) -> Result<(WebhookEndpoint, bool)> {
        let NewEndpoint { location, url, events, description, app_id, headers } = new.clone();
        let agency = self.context.agency();
        let location = self.owner_of_new(location)?;
        if let Some(known) = self.twin(location, &url, &events)? {
            crate::idempotency::about(self.tx, self.context, known.id.as_str())?;
            let wanted = EndpointPatch {
                url: Some(url),
                events: Some(events),
                description: description.map(Some),
                app_id: app_id.map(Some),
                headers: Some(headers).filter(|headers| !headers.names().is_empty()),
                enabled: Some(true),
                ..EndpointPatch::default()
            };
            return Ok((self.update_webhook(app, known.id, wanted, nonces)?, false));
        }
        if webhooks::count(self.tx, agency, location)? >= MOST {
            let problem =
                format!("cannot be added: there are {MOST} webhooks already, the most that can be; delete one");
            return Err(Error::invalid("url", problem));
        }
        let key_version = self.newest_signing_key(&app.secret)?;
        let (id, now) = (self.new_id(), self.now());
        let endpoint = WebhookEndpoint {
            id,
            agency,
            location,
            content: EndpointContent { url, events, description, app_id, headers: headers.names() },
            disabled: None,
            listener: listener(self.context),
            sealed: SealedSecrets {
                secret: app.seal((agency, id), "secret", secret, nonces[0]),
                previous: None,
                headers: app.seal_headers((agency, id), &headers, nonces[1]),
                key_version,
            },
            health: Health::default(),
            created_at: now,
            updated_at: now,
        };
        webhooks::save(self.tx, &endpoint)?;
        self.tell(Happened::made(EventKind::WebhookEndpointCreated, &endpoint))?;
        Ok((endpoint, true))
    }

    /// Whose a new endpoint is: the location's that is named, or that the caller has; else the agency's, for whoever reaches all
    /// of it.
    fn owner_of_new(&mut self, named: Option<LocationId>) -> Result<Option<LocationId>> {
        let reach = &self.context.grant().reach;
        let location = named.or_else(|| reach.only_location());
        match (location, reach) {
            (Some(location), reach) if reach.has_location(location) => {
                locations::find(self.tx, self.context.agency(), location)?.ok_or(Error::NoAccess)?;
                Ok(Some(location))
            }
            (Some(_), _) => Err(Error::NoAccess),
            (None, Reach::Agency) => Ok(None),
            (None, _) => Err(Error::invalid("locationId", "can't be undefined")),
        }
    }

    fn update_webhook(
        &mut self,
        app: &App,
        id: WebhookEndpointId,
        patch: EndpointPatch,
        nonces: [[u8; 24]; 2],
    ) -> Result<WebhookEndpoint> {
        let (before, now) = (self.webhook_to_change(id)?, self.now());
        let (says_what, is_wanted) = (patch.url.is_some() || patch.events.is_some(), patch.take_over == Some(true));
        let mut after = before.clone();
        match (&patch.headers, &patch.url) {
            (Some(headers), _) => after.sealed.headers = app.seal_headers((before.agency, id), headers, nonces[1]),
            (None, Some(url)) if !before.content.headers.is_empty() && !is_same_origin(url, &before.content.url) => {
                let names = before.content.headers.join(", ");
                let problem =
                    "must be given again, or emptied, where the address leads to another host: what is secret in";
                return Err(Error::invalid("headers", format!("{problem} {names} is not sent there")));
            }
            (None, _) => {}
        }
        patch.apply(&mut after, now);
        let is_moved = (&after.content.url, &after.content.events) != (&before.content.url, &before.content.events);
        if is_moved || is_wanted || (says_what && self.may_take_over(&before)?) {
            after.listener = listener(self.context);
        }
        if after == before {
            return Ok(before);
        }
        if after.sealed.key_version != before.sealed.key_version {
            let keys = self.signing_keys(&app.secret)?;
            if !keys.iter().any(|(key, _)| key.version == after.sealed.key_version) {
                return Err(Error::invalid("signingKeyVersion", "is none of the keys of this agency"));
            }
        }
        if is_moved && let Some(twin) = self.twin(after.location, &after.content.url, &after.content.events)? {
            let title = twin.content.title();
            let message =
                format!("The webhook {title} ({}) has this address and these events already: change that one", twin.id);
            return Err(Error::Conflict(ErrorCode::Conflict, message));
        }
        after.updated_at = now;
        webhooks::save(self.tx, &after)?;
        let is_begun_anew = after.content.url != before.content.url || after.disabled != before.disabled;
        if is_begun_anew && after.disabled.is_none() {
            queue::release(self.tx, JobKind::Delivery, id.of_anything(), now)?;
        }
        self.tell(Happened::changed(EventKind::WebhookEndpointUpdated, &before, &after))?;
        Ok(after)
    }

    /// Whether whoever says once more where an endpoint is and what it is told becomes the one who lends it rights: where it listened
    /// as them before, or as somebody who may do nothing any more. Else those who only meant to rename it would lend theirs.
    fn may_take_over(&mut self, endpoint: &WebhookEndpoint) -> Result<bool> {
        let now = self.now();
        let is_own = endpoint.listener.actor == self.context.actor();
        Ok(is_own || Hearing::of(self.tx, endpoint, now)?.is_none())
    }

    fn webhook_to_change(&mut self, id: WebhookEndpointId) -> Result<WebhookEndpoint> {
        let found = webhooks::find_to_change(self.tx, id)?.filter(|endpoint| can_see(self.context, endpoint));
        let endpoint = found.ok_or_else(|| not_found(id))?;
        self.context.expect(&endpoint)?;
        Ok(endpoint)
    }

    fn delete_webhook(&mut self, id: WebhookEndpointId) -> Result<()> {
        let endpoint = self.webhook_to_change(id)?;
        webhooks::delete(self.tx, id)?;
        self.tell(Happened::gone(EventKind::WebhookEndpointDeleted, &endpoint))?;
        Ok(())
    }

    fn rotate_webhook_secret(
        &mut self,
        app: &App,
        id: WebhookEndpointId,
        overlap: Duration,
        secret: &str,
        nonces: [[u8; 24]; 2],
    ) -> Result<WebhookEndpoint> {
        let before = self.webhook_to_change(id)?;
        let now = self.now();
        let until = before.sealed.previous.as_ref().map(|(_, until)| *until);
        require_no_overlap("Messages carry two signatures", until, overlap, now)?;
        let mut after = WebhookEndpoint { updated_at: now, ..before.clone() };
        after.sealed.secret = app.seal((before.agency, id), "secret", secret, nonces[0]);
        after.sealed.previous = (!overlap.is_zero()).then(|| (before.sealed.secret.clone(), now + overlap));
        webhooks::save(self.tx, &after)?;
        self.tell(Happened::changed(EventKind::WebhookEndpointUpdated, &before, &after))?;
        Ok(after)
    }
}

/// Whether two addresses are of one host, so that whoever is told a secret at one of them is told it at both.
fn is_same_origin(one: &Line<2_000>, other: &Line<2_000>) -> bool {
    let origin = |url: &Line<2_000>| origin_of(url.as_str());
    origin(one).is_some_and(|found| origin(other) == Some(found))
}

fn listener(authority: &Authority) -> Listener {
    Listener { actor: authority.actor(), scopes: authority.grant().scopes }
}

/// Whoever reaches its location, or of the agency's own whoever reaches all of it.
fn can_see(authority: &Authority, endpoint: &WebhookEndpoint) -> bool {
    let Reach::Agency = authority.grant().reach else {
        let reach = &authority.grant().reach;
        return endpoint.agency == authority.agency()
            && endpoint.location.is_some_and(|location| reach.has_location(location));
    };
    endpoint.agency == authority.agency()
}

pub(super) fn not_found(id: WebhookEndpointId) -> Error {
    Error::NotFound(Noun::Webhook, id.to_string())
}

impl Described for WebhookEndpoint {
    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn location(&self) -> Option<LocationId> {
        self.location
    }

    fn describe(&self) -> Fields {
        let EndpointContent { url, events, description, app_id, headers } = &self.content;
        let mut fields = Fields::new();
        put(&mut fields, "url", Some(url.as_str()));
        put(&mut fields, "events", Some(events.to_text()));
        put(&mut fields, "description", description.as_ref().map(Line::as_str));
        put(&mut fields, "appId", app_id.as_ref().map(Line::as_str));
        put(&mut fields, "headers", Some(headers.clone()).filter(|headers| !headers.is_empty()));
        put(&mut fields, "disabled", self.disabled.map(|disabled| disabled.why.as_str()));
        put(&mut fields, "listener", Some(self.listener.actor.to_string()));
        put(&mut fields, "scopes", Some(self.listener.scopes.to_names()));
        put(&mut fields, "signingKeyVersion", Some(self.sealed.key_version));
        put(&mut fields, "previousSecretUntil", self.sealed.previous.as_ref().map(|(_, until)| until.to_iso()));
        fields
    }
}
