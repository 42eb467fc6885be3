//! Works on the jobs of one kind: many at a time, taken and settled together.

use std::{collections::HashMap, future::Future, pin::Pin, sync::Arc, time::Duration};

use keystead_core::{
    App, Result,
    queue::{BATCH, Outcome, Settled, Turn},
};
use keystead_model::job::{Job, JobKind};
use tokio::{
    sync::watch,
    task::{Id, JoinError, JoinSet},
    time::Instant,
};

/// After a failure of ours or of the database, a job is tried again.
const AGAIN: Duration = Duration::from_secs(60);
/// How long a database that fails is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// Work on a job, which ends before an instant.
type Work = Box<dyn Fn(App, Job, Instant) -> Working + Send + Sync>;
type Working = Pin<Box<dyn Future<Output = Result<Settled>> + Send>>;

/// Works on jobs of a kind.
pub struct Worker {
    app: App,
    kind: JobKind,
    places: usize,
    work: Work,
    running: JoinSet<Settled>,
    /// What each is about, for those that end in a panic.
    begun: HashMap<Id, (Job, Instant)>,
    ended: Vec<Ended>,
    /// Whether the last turn failed.
    is_failing: bool,
}

/// What became of a job, as long as it may be said.
struct Ended {
    settled: Arc<Settled>,
    until: Instant,
}

impl Worker {
    /// One that works on `places` jobs at a time. `work` ends before the instant that it gets.
    pub fn new<F: Future<Output = Result<Settled>> + Send + 'static>(
        app: App,
        kind: JobKind,
        places: usize,
        work: impl Fn(App, Job, Instant) -> F + Send + Sync + 'static,
    ) -> Self {
        let work: Work = Box::new(move |app, job, until| Box::pin(work(app, job, until)));
        let (running, begun) = (JoinSet::new(), HashMap::new());
        Self { app, kind, places, work, running, begun, ended: Vec::new(), is_failing: false }
    }

    /// Works until `stop` turns true; what is under way then may go on for as long as `patience`.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>, patience: Duration) {
        let app = self.app.clone();
        let mut has_more = true;
        while !*stop.borrow() {
            let free = self.places - self.running.len();
            if !self.ended.is_empty() || (has_more && free > 0) {
                has_more = self.turn_or_pause(free).await;
                continue;
            }
            tokio::select! {
                biased;
                _ = stop.wait_for(|stopped| *stopped) => {}
                Some(ended) = self.running.join_next_with_id() => self.note(ended),
                () = app.work_comes(self.kind), if free > 0 => has_more = true,
            }
        }
        self.end(patience).await;
    }

    /// Settles all that is under way. What goes on for too long is aborted and given back, so that of takers that say nothing
    /// only those count that died.
    async fn end(mut self, patience: Duration) {
        let until = Instant::now() + patience;
        let mut is_aborted = false;
        while !(self.running.is_empty() && self.ended.is_empty()) {
            if !self.ended.is_empty() {
                self.turn_or_pause(0).await;
                continue;
            }
            tokio::select! {
                biased;
                Some(ended) = self.running.join_next_with_id() => self.note(ended),
                () = tokio::time::sleep_until(until), if !is_aborted => {
                    self.running.abort_all();
                    is_aborted = true;
                }
            }
        }
    }

    /// Works until nothing is due.
    pub async fn drain(mut self) -> Result<()> {
        loop {
            let has_more = self.turn(self.places - self.running.len()).await?;
            match self.running.join_next_with_id().await {
                Some(ended) => self.note(ended),
                None if has_more || !self.ended.is_empty() => {}
                None => return Ok(()),
            }
        }
    }

    /// A turn, and a pause if it fails; whether there may be more to take.
    async fn turn_or_pause(&mut self, free: usize) -> bool {
        match self.turn(free).await {
            Ok(more) => more,
            Err(error) => {
                let kind = self.kind.as_str();
                tracing::warn!(kind, %error, cause = error.cause(), "the queue cannot be worked on");
                tokio::time::sleep(PAUSE).await;
                true
            }
        }
    }

    /// Settles what has ended and takes others; whether there may be more to take.
    async fn turn(&mut self, free: usize) -> Result<bool> {
        // Whatever else has ended goes along.
        while let Some(ended) = self.running.try_join_next_with_id() {
            self.note(ended);
        }
        if std::mem::take(&mut self.is_failing) {
            self.settle_alone().await;
        }
        let settled: Vec<Arc<Settled>> = self.ended.iter().map(|ended| Arc::clone(&ended.settled)).collect();
        let turn = self.app.take_turn(self.kind, &settled, free.min(BATCH)).await;
        self.is_failing = turn.is_err();
        let Turn { jobs, until, has_more, .. } = turn?;
        self.ended.clear();
        for job in jobs {
            self.begin(job, until);
        }
        Ok(has_more)
    }

    /// Settles one by one, so that what cannot be settled holds up nothing else.
    async fn settle_alone(&mut self) {
        for ended in std::mem::take(&mut self.ended) {
            let outcome = self.app.take_turn(self.kind, std::slice::from_ref(&ended.settled), 0).await;
            match outcome {
                Ok(_) => {}
                Err(error) if Instant::now() < ended.until => {
                    tracing::warn!(kind = self.kind.as_str(), %error, cause = error.cause(), "a job cannot be settled");
                    self.ended.push(ended);
                }
                // Somebody else will take it.
                Err(_) => {}
            }
        }
    }

    fn begin(&mut self, job: Job, until: Instant) {
        if job.is_dangerous() {
            let settled = Arc::new(self.app.give_up(job));
            return self.ended.push(Ended { settled, until });
        }
        let (kept, again) = (job.clone(), job.clone());
        let work = (self.work)(self.app.clone(), job, until);
        let begun = self.running.spawn(async move {
            work.await.unwrap_or_else(|error| Settled::new(again, Outcome::Again(AGAIN, error.to_string())))
        });
        self.begun.insert(begun.id(), (kept, until));
    }

    fn note(&mut self, ended: std::result::Result<(Id, Settled), JoinError>) {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Some((job, until)) = self.begun.remove(&id) else { return };
        match ended {
            Ok((_, settled)) => self.ended.push(Ended { settled: Arc::new(settled), until }),
            Err(error) if error.is_cancelled() => {
                self.ended.push(Ended { settled: Arc::new(self.app.interrupted(job)), until });
            }
            // It counts among those whose takers said nothing: after some of these it is given up.
            Err(error) => tracing::error!(kind = self.kind.as_str(), job = %job.id, %error, "work on a job panicked"),
        }
    }
}
