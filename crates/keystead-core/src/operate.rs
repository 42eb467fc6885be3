//! How an operation runs: one transaction, which claims its request before anything else, on somebody's authority.
//!
//! A use case is a method of [`Operation`], so that many can run in one transaction, each in an [`Operation::attempt`]; the
//! methods of [`App`] are doors to it.

use keystead_model::{LocationId, UtcMs, event::Cause, id::Id, scope::Scope};
use keystead_store::Tx;
use sha2::{Digest, Sha256};

use crate::{
    AgencyContext, App, Authority, Entropy, LocationContext, Result,
    idempotency::{Lost, claim},
};

/// Use cases at work: a transaction, who acts on what, and ids that come out the same when the transaction runs again.
pub struct Operation<'t, 'c, G> {
    pub(crate) tx: &'t mut Tx<'c>,
    pub(crate) context: &'t G,
    /// Why it is done, if not because somebody asks for it.
    pub(crate) cause: Cause,
    /// Where this instance is reached, for addresses in what is told; empty where nothing is that has any.
    pub(crate) base_url: &'t str,
    ids: &'t mut Ids,
}

/// In a location.
pub(crate) type InLocation<'t, 'c> = Operation<'t, 'c, LocationContext>;
/// On an agency itself.
pub(crate) type InAgency<'t, 'c> = Operation<'t, 'c, AgencyContext>;

/// What somebody acts on: whose things change, one use case after another.
pub trait Ground: Clone + Send + 'static {
    /// Who acts.
    fn authority(&self) -> &Authority;
    /// Whose things change.
    fn owner(&self) -> Id<()>;
    /// Where they are.
    fn place(&self) -> Option<LocationId> {
        None
    }
}

impl Ground for LocationContext {
    fn authority(&self) -> &Authority {
        &self.authority
    }
    fn owner(&self) -> Id<()> {
        self.location.of_anything()
    }
    fn place(&self) -> Option<LocationId> {
        Some(self.location)
    }
}

impl Ground for AgencyContext {
    fn authority(&self) -> &Authority {
        &self.authority
    }
    fn owner(&self) -> Id<()> {
        self.authority.agency().of_anything()
    }
}

/// Whatever somebody may see of their agency.
impl Ground for Authority {
    fn authority(&self) -> &Authority {
        self
    }
    fn owner(&self) -> Id<()> {
        self.agency().of_anything()
    }
}

/// New ids: the n-th of a run is the n-th of every run.
#[derive(Clone)]
pub(crate) struct Ids {
    seed: [u8; 32],
    count: u64,
}

impl Ids {
    pub(crate) fn seeded(entropy: &Entropy) -> Self {
        let mut seed = [0; 32];
        entropy.fill(&mut seed);
        Self { seed, count: 0 }
    }

    fn next<T>(&mut self, now: UtcMs) -> Id<T> {
        Id::generate(now, |pool| {
            for chunk in pool.chunks_mut(32) {
                self.count += 1;
                let block = Sha256::new().chain_update(self.seed).chain_update(self.count.to_le_bytes()).finalize();
                chunk.copy_from_slice(&block[..chunk.len()]);
            }
        })
    }
}

impl<'t, 'c, G: Ground> Operation<'t, 'c, G> {
    /// Use cases as part of a transaction that somebody else began.
    pub(crate) fn in_transaction<T>(
        tx: &'t mut Tx<'c>,
        context: &G,
        mut ids: Ids,
        run: impl FnOnce(&mut Operation<'_, 'c, G>) -> T,
    ) -> T {
        run(&mut Operation { tx, context, cause: context.authority().cause, base_url: "", ids: &mut ids })
    }

    /// When it is.
    pub(crate) fn now(&self) -> UtcMs {
        self.context.authority().now()
    }

    /// An id for something new.
    pub(crate) fn new_id<T>(&mut self) -> Id<T> {
        let now = self.now();
        self.ids.next(now)
    }

    /// Runs a step, whose changes are undone if it fails, while the others stay.
    pub(crate) fn attempt<T>(&mut self, step: impl FnOnce(&mut Operation<'_, '_, G>) -> Result<T>) -> Result<T> {
        let (context, cause, base_url, ids) = (self.context, self.cause, self.base_url, &mut *self.ids);
        self.tx.attempt(|tx| step(&mut Operation { tx, context, cause, base_url, ids }))
    }

    /// Runs what follows from something that has happened.
    pub(crate) fn following<T>(
        &mut self,
        cause: Cause,
        step: impl FnOnce(&mut Operation<'_, '_, G>) -> Result<T>,
    ) -> Result<T> {
        let (context, base_url) = (self.context, self.base_url);
        step(&mut Operation { tx: &mut *self.tx, context, cause, base_url, ids: &mut *self.ids })
    }
}

impl App {
    /// Runs what somebody who has `scope` wants to have done, as if it were alone with what it changes. What has its effect
    /// once, but was not answered, is read by `recover` when it is asked for again.
    pub(crate) async fn operate<G: Ground, T: Send + 'static>(
        &self,
        context: &G,
        scope: Scope,
        run: impl Fn(&mut Operation<'_, '_, G>) -> Result<T> + Send + 'static,
        recover: impl Fn(&mut Operation<'_, '_, G>, &Lost) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        context.authority().require(scope)?;
        self.operate_on_own(context, run, recover).await
    }

    /// The same for what is everybody's own, and needs no scope.
    pub(crate) async fn operate_on_own<G: Ground, T: Send + 'static>(
        &self,
        context: &G,
        run: impl Fn(&mut Operation<'_, '_, G>) -> Result<T> + Send + 'static,
        recover: impl Fn(&mut Operation<'_, '_, G>, &Lost) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (context, ids) = (context.clone(), Ids::seeded(&self.entropy));
        let (owner, base_url) = (context.owner(), self.base_url());
        let work = move |tx: &mut Tx<'_>| {
            let (context, ids) = (&context, &mut ids.clone());
            let operation = &mut Operation { tx, context, cause: context.authority().cause, base_url: &base_url, ids };
            match context.authority().claim().and_then(|claim| claim.lost()) {
                Some(lost) => recover(operation, lost),
                None => {
                    claim(operation.tx, context.authority())?;
                    run(operation)
                }
            }
        };
        self.store.write_in(owner, work).await
    }

    /// Runs what somebody who has `scope` wants to see.
    pub(crate) async fn read<G: Ground, T: Send + 'static>(
        &self,
        context: &G,
        scope: Scope,
        run: impl Fn(&mut Operation<'_, '_, G>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.store.read(looking(context, scope, run)?).await
    }

    /// The same for what is everybody's own, and needs no scope.
    pub(crate) async fn read_own<G: Ground, T: Send + 'static>(
        &self,
        context: &G,
        run: impl Fn(&mut Operation<'_, '_, G>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.store.read(looking_at_own(context, run)).await
    }

    /// The same as [`App::read`] where it takes one short statement.
    pub(crate) async fn look_up<G: Ground, T: Send + 'static>(
        &self,
        context: &G,
        scope: Scope,
        run: impl Fn(&mut Operation<'_, '_, G>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.store.look_up(looking(context, scope, run)?).await
    }

    /// Runs what changes authority: serial on all servers by the lock of the change feed, which it takes first.
    pub(crate) async fn operate_serial<T: Send + 'static>(
        &self,
        authority: &Authority,
        run: impl Fn(&mut Tx<'_>, &Authority) -> Result<T> + Send + 'static,
        recover: impl Fn(&mut Tx<'_>, &Lost) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let authority = authority.clone();
        let work = move |tx: &mut Tx<'_>| match authority.claim().and_then(|claim| claim.lost()) {
            Some(lost) => recover(tx, lost),
            None => {
                claim(tx, &authority)?;
                run(tx, &authority)
            }
        };
        self.store.write_serial(work).await
    }
}

fn looking<G: Ground, T>(
    context: &G,
    scope: Scope,
    run: impl Fn(&mut Operation<'_, '_, G>) -> Result<T> + Send + 'static,
) -> Result<impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static> {
    context.authority().require(scope)?;
    Ok(looking_at_own(context, run))
}

fn looking_at_own<G: Ground, T>(
    context: &G,
    run: impl Fn(&mut Operation<'_, '_, G>) -> Result<T> + Send + 'static,
) -> impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static {
    let context = context.clone();
    // Nothing is made, so no id has to be a surprise.
    let ids = Ids { seed: [0; 32], count: 0 };
    move |tx: &mut Tx<'_>| {
        let (context, ids) = (&context, &mut ids.clone());
        run(&mut Operation { tx, context, cause: context.authority().cause, base_url: "", ids })
    }
}

#[cfg(test)]
#[path = "operate_tests.rs"]
mod tests;
