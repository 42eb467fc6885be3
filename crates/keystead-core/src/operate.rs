//! How an operation writes: in one transaction, which claims its request before anything else.

use keystead_store::Tx;

use crate::{
    App, Authority, Result,
    idempotency::{Lost, claim},
};

impl App {
    /// Runs what somebody wants to have done, as if it were alone. What has its effect once, but was not answered, is read by
    /// `recover` when it is asked for again.
    pub(crate) async fn operate<T: Send + 'static>(
        &self,
        authority: &Authority,
        run: impl Fn(&mut Tx<'_>, &Authority) -> Result<T> + Send + 'static,
        recover: impl Fn(&mut Tx<'_>, &Lost) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.store.write(claimed(authority, run, recover)).await
    }

    /// The same for what is serial by a lock of its own, such as the head of the change feed.
    pub(crate) async fn operate_serial<T: Send + 'static>(
        &self,
        authority: &Authority,
        run: impl Fn(&mut Tx<'_>, &Authority) -> Result<T> + Send + 'static,
        recover: impl Fn(&mut Tx<'_>, &Lost) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.store.write_serial(claimed(authority, run, recover)).await
    }
}

fn claimed<T>(
    authority: &Authority,
    run: impl Fn(&mut Tx<'_>, &Authority) -> Result<T> + Send + 'static,
    recover: impl Fn(&mut Tx<'_>, &Lost) -> Result<T> + Send + 'static,
) -> impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static {
    let authority = authority.clone();
    move |tx| match authority.claim().and_then(|claim| claim.lost()) {
        Some(lost) => recover(tx, lost),
        None => {
            claim(tx, &authority)?;
            run(tx, &authority)
        }
    }
}
