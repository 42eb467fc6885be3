//! The service clock: one row that the nodes move together, never faster than real time.

use keystead_model::ServiceMs;

use crate::{Result, Tx};

/// The clock as a node sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceClock {
    /// Service time now.
    pub now: ServiceMs,
    /// Counts the ticks; a tick names the one it saw.
    pub epoch: i64,
    /// Whether the operator has paused automatic deletions, so that ticks add nothing.
    pub paused: bool,
}

/// The clock.
pub fn read(tx: &mut Tx<'_>) -> Result<ServiceClock> {
    tx.query_one("SELECT now_ms, epoch, paused FROM service_clock WHERE id = 1", &[], |row| {
        Ok(ServiceClock { now: row.column()?, epoch: row.column()?, paused: row.column()? })
    })
}

/// Pauses automatic deletions, or goes on with them; `false` if that is how it was. Ticks add nothing meanwhile, so
/// nobody's 90 days run. Call it after [`crate::changes::lock`], so that no deletion is half done.
pub fn set_paused(tx: &mut Tx<'_>, paused: bool) -> Result<bool> {
    Ok(tx.execute("UPDATE service_clock SET paused = ?1 WHERE id = 1 AND paused <> ?1", &[&paused])? == 1)
}

/// Lets service time pass without the ticks between, as so many of them would have moved it: for a demo's past, tests and
/// the simulation, never for a server.
pub fn pass(tx: &mut Tx<'_>, milliseconds: i64, ticks: i64) -> Result<()> {
    tx.execute(
        "UPDATE service_clock SET now_ms = now_ms + ?1, epoch = epoch + ?2 WHERE id = 1",
        &[&milliseconds, &ticks],
    )?;
    Ok(())
}

/// Lets the 90 days of every key begin anew, as after the restore of a backup: what was used since is not known.
pub fn restart_all(tx: &mut Tx<'_>) -> Result<()> {
    tx.execute("UPDATE service_clock SET clock_floor = now_ms, epoch = epoch + 1 WHERE id = 1", &[])?;
    Ok(())
}

/// Adds `milliseconds` if nobody else ticked since `epoch`, and nothing but a new epoch while paused.
/// Returns whether this tick counted.
pub fn tick(tx: &mut Tx<'_>, epoch: i64, milliseconds: i64) -> Result<bool> {
    let ticked = tx.execute(
        "UPDATE service_clock
         SET now_ms = now_ms + CASE WHEN paused THEN 0 ELSE ?1 END, epoch = epoch + 1
         WHERE id = 1 AND epoch = ?2",
        &[&milliseconds, &epoch],
    )?;
    Ok(ticked == 1)
}
