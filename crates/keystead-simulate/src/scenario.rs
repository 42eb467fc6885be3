//! What happens in a run: chance, aimed at the windows in which a missing rule would show.

use keystead_model::{
    KeyId,
    actor::Actor,
    agency::TenantState,
    api_key::{DeleteReason, KeyState},
    time::{DAY_MS, HOUR_MS, MINUTE_MS},
};
use keystead_store::{Result, service_clock};

use crate::{
    rules::Rules,
    windows::Windows,
    world::{PollUnderWay, World},
};

/// How a run ended.
pub(crate) struct Report {
    pub violations: Vec<String>,
    pub windows: Windows,
    pub key_years: f64,
}

/// Real days of a run.
const DAYS: i64 = 420;

/// One run, the same for the same seed. Every fourth is a sharp one.
pub(crate) fn run(seed: u64, rules: Rules) -> Result<Report> {
    let sharp = seed.is_multiple_of(4);
    let mut world = World::new(seed, rules, sharp)?;
    for _ in 0..4 {
        revocation(&mut world)?;
        rotations(&mut world)?;
    }
    if sharp {
        sharp_run(&mut world)?;
    } else if seed % 8 == 2 {
        restored_run(&mut world)?;
    } else {
        while world.now < DAYS * DAY_MS && world.violations.is_empty() {
            step(&mut world)?;
        }
    }
    Ok(Report { violations: world.violations, windows: world.windows, key_years: world.key_days / 365.0 })
}

/// Uses at the brink of a touch, and then nothing but the keys' way to their end.
fn sharp_run(world: &mut World) -> Result<()> {
    for _ in 0..6 {
        brink_of_a_touch(world)?;
    }
    while world.now < 100 * DAY_MS && world.violations.is_empty() {
        let Some(due) = world.next_due()? else { return Ok(()) };
        world.pass_quietly((due - 2 * MINUTE_MS).max(MINUTE_MS))?;
        world.pass(4 * MINUTE_MS, true)?;
    }
    Ok(())
}

/// A backup from before many uses takes the place of the database.
fn restored_run(world: &mut World) -> Result<()> {
    let length = world.rng.i64(20..74);
    world.pass_quietly(length * DAY_MS)?;
    world.back_up()?;
    let length = world.rng.i64(1..20);
    world.pass_quietly(length * DAY_MS)?;
    for id in world.keys.clone() {
        if let Some(node) = world.working_node() {
            world.use_key(node, id, false)?;
        }
    }
    world.restore_backup()?;
    for _ in 0..40 {
        if !world.violations.is_empty() {
            return Ok(());
        }
        to_the_next_step(world)?;
    }
    Ok(())
}

fn step(world: &mut World) -> Result<()> {
    match world.rng.u32(0..100) {
        0..45 => to_the_next_step(world),
        45..55 => ordinary_days(world),
        55..61 => brink_of_a_touch(world),
        61..67 => use_and_crash(world),
        67..71 => revocation(world),
        71..75 => rotations(world),
        75..79 => stuck_sweeper(world),
        79..82 => outage(world),
        82..86 => people(world),
        86..89 => jump(world),
        89..91 => world.back_up(),
        91..93 => world.restore_backup(),
        93..95 => suspension(world),
        95..97 => nobody_to_tell(world),
        97..98 => pause(world),
        _ => partition(world),
    }
}

/// Goes to just before something is due, and lives through it with uses aimed at it.
fn to_the_next_step(world: &mut World) -> Result<()> {
    let Some(due) = world.next_due()? else { return ordinary_days(world) };
    let quiet = due - 4 * MINUTE_MS;
    if quiet > 0 {
        world.pass_quietly(quiet)?;
    }
    for _ in 0..world.rng.u32(0..3) {
        let id = nearest(world)?;
        aimed_use(world, id)?;
        let length = world.rng.i64(0..2 * MINUTE_MS);
        world.pass(length, true)?;
    }
    let length = world.rng.i64(5 * MINUTE_MS..9 * MINUTE_MS);
    world.pass(length, true)
}

/// The key that comes next, or any.
fn nearest(world: &mut World) -> Result<KeyId> {
    let mut best: Option<(i64, KeyId)> = None;
    for id in world.keys.clone() {
        let key = world.record(id)?;
        if !key.is_deleted() && best.is_none_or(|(known, _)| key.inactivity.deletes_at.0 < known) {
            best = Some((key.inactivity.deletes_at.0, id));
        }
    }
    Ok(match best {
        Some((_, id)) if world.rng.u32(0..4) > 0 => id,
        _ => world.any_key(),
    })
}

fn aimed_use(world: &mut World, id: KeyId) -> Result<()> {
    if world.rng.u32(0..3) > 0 || (world.abandoned.contains(&id) && world.rng.u32(0..6) > 0) {
        return Ok(());
    }
    let Some(node) = world.working_node() else { return Ok(()) };
    world.windows.use_within_minutes_of_deletion += 1;
    let race = world.rng.bool();
    world.use_key(node, id, race)
}

fn ordinary_days(world: &mut World) -> Result<()> {
    let days = world.rng.i64(1..12);
    for _ in 0..days {
        if world.next_due()?.is_some_and(|due| due < DAY_MS + HOUR_MS) {
            return Ok(());
        }
        world.pass_quietly(DAY_MS - 10 * MINUTE_MS)?;
        for _ in 0..world.rng.u32(0..3) {
            let id = world.any_living_client();
            if let Some(node) = world.working_node() {
                let race = world.rng.bool();
                world.use_key(node, id, race)?;
            }
        }
        world.pass(10 * MINUTE_MS, true)?;
    }
    Ok(())
}

/// A use that is stored, and another as late after it as can be without being stored; then the node dies.
fn brink_of_a_touch(world: &mut World) -> Result<()> {
    let Some(mut node) = world.working_node() else { return Ok(()) };
    if world.sharp {
        // The first node ticks for all; a new one would begin by adding nothing.
        node = world.nodes.len() - 1;
    }
    let id = world.any_key();
    world.pass_quietly(40 * MINUTE_MS)?;
    world.use_key(node, id, false)?;
    let begun = world.database.read(service_clock::read)?.now;
    // The product stores after half an hour; a rule that waits for the whole slack would store after one.
    let aim = [30, 60][world.rng.usize(0..2)] * MINUTE_MS - world.rng.i64(5_000..15_000);
    if world.next_due()?.is_some_and(|due| due < 2 * HOUR_MS) {
        return Ok(());
    }
    world.pass_quietly(aim)?;
    if world.database.read(service_clock::read)?.now - begun > aim {
        return Ok(());
    }
    // Nobody ticks for as long as a tick can make up for.
    world.now += (world.counted_until + 2 * MINUTE_MS - 3000 - world.now).max(0);
    world.poll_all()?;
    world.use_key(node, id, false)?;
    world.abandoned.insert(id);
    crash(world, node)?;
    world.pass(2 * MINUTE_MS, false)
}

fn use_and_crash(world: &mut World) -> Result<()> {
    let Some(node) = world.working_node() else { return Ok(()) };
    let id = nearest(world)?;
    world.use_key(node, id, false)?;
    if world.rng.bool() {
        world.abandoned.insert(id);
    }
    crash(world, node)
}

fn crash(world: &mut World, node: usize) -> Result<()> {
    world.windows.crash_with_unflushed_uses += u64::from(!world.nodes[node].pending.is_empty());
    let now = world.now;
    let World { nodes, rng, .. } = world;
    nodes[node].crash(rng, now);
    if world.nodes[node].works() {
        world.poll(node)?;
    }
    Ok(())
}

/// A key is ended at one node and used at all of them, while polls are slow or lost.
fn revocation(world: &mut World) -> Result<()> {
    let id = world.any_key();
    if world.record(id)?.state != KeyState::Active {
        return Ok(());
    }
    world.windows.revocation_with_slow_polls += 1;
    world.poll_all()?;
    for node in 0..world.nodes.len() {
        world.use_key(node, id, false)?;
    }
    // Polls on their way: who sent when, what it found is read when it is taken, applied when it comes back.
    let cut = world.rng.usize(0..world.nodes.len());
    let kind = world.rng.u32(0..3);
    let revoke_at = world.now + world.rng.i64(0..1200);
    let end = world.now + 4000;
    let mut slow: Option<(i64, PollUnderWay)> = None;
    let mut revoked = false;
    while world.now < end {
        world.now += 50;
        for node in 0..world.nodes.len() {
            if !world.nodes[node].works() || (node == cut && kind == 0 && world.now > revoke_at - 300) {
                continue;
            }
            if node == cut && kind == 1 {
                // The database reads at once; the answer is up to a second on its way.
                match slow.take() {
                    None => slow = Some((world.now + world.rng.i64(200..1500), world.begin_poll(node)?)),
                    Some((arrives, poll)) if world.now >= arrives => world.finish_poll(node, poll),
                    waiting => slow = waiting,
                }
            } else if world.rng.u32(0..5) == 0 {
                world.poll(node)?;
            }
        }
        if !revoked && world.now >= revoke_at {
            revoked = true;
            world.change(id, |key, at, service| key.deactivate(Actor::Operator, at, service))?;
        }
        let node = world.rng.usize(0..world.nodes.len());
        world.use_key(node, id, false)?;
    }
    world.poll_all()?;
    if world.rng.bool() {
        world.change(id, |key, _, service| key.reactivate(service))?;
        world.poll_all()?;
    }
    Ok(())
}

fn rotations(world: &mut World) -> Result<()> {
    let id = world.any_key();
    for _ in 0..world.rng.u32(1..4) {
        world.rotate(id)?;
        let length = world.rng.i64(1..10) * MINUTE_MS;
        world.pass(length, true)?;
        for _ in 0..2 {
            if let Some(node) = world.working_node() {
                world.use_key(node, id, false)?;
            }
        }
    }
    // In the end the client has what is current.
    if world.rng.bool() {
        world.redeploy(id)?;
    }
    Ok(())
}

fn stuck_sweeper(world: &mut World) -> Result<()> {
    let days = world.rng.i64(1..20);
    world.pass_quietly(days * DAY_MS)?;
    world.pass(5 * MINUTE_MS, true)
}

fn outage(world: &mut World) -> Result<()> {
    for node in 0..world.nodes.len() {
        world.nodes[node].reachable = false;
    }
    let days = world.rng.i64(1..25);
    world.pass_quietly(days * DAY_MS)?;
    for node in 0..world.nodes.len() {
        world.nodes[node].reachable = true;
    }
    world.poll_all()?;
    world.pass(5 * MINUTE_MS, true)
}

fn people(world: &mut World) -> Result<()> {
    let id = nearest(world)?;
    match world.rng.u32(0..6) {
        0 => world.change(id, |key, _, service| key.keep(service)),
        1 => world.change(id, |key, at, service| key.deactivate(Actor::Operator, at, service)),
        2 => world.change(id, |key, _, service| key.reactivate(service)),
        3 => world.change(id, |key, at, service| key.delete(Actor::Operator, DeleteReason::Requested, at, service)),
        _ => {
            // Somebody brings back what was deleted, if it is not too late.
            let mut deleted = Vec::new();
            for id in world.keys.clone() {
                if world.record(id)?.is_deleted() {
                    deleted.push(id);
                }
            }
            if deleted.is_empty() {
                return Ok(());
            }
            let id = deleted[world.rng.usize(0..deleted.len())];
            let before = world.record(id)?;
            let service = world.database.read(service_clock::read)?.now;
            world.change(id, |key, at, service| key.restore(Actor::Operator, at, service))?;
            if let KeyState::Deleted { restore_until, .. } = before.state
                && service >= restore_until
                && !world.record(id)?.is_deleted()
            {
                world.violations.push("K7: a key came back after its time to restore".to_owned());
            }
            world.redeploy(id)
        }
    }
}

fn jump(world: &mut World) -> Result<()> {
    let node = world.rng.usize(0..world.nodes.len());
    let year = 365 * DAY_MS;
    world.nodes[node].skew += [HOUR_MS, -HOUR_MS, year, -year][world.rng.usize(0..4)];
    world.pass(4 * MINUTE_MS, true)?;
    // Set right again, else the overlaps of rotations mean nothing.
    world.nodes[node].skew = 0;
    Ok(())
}

fn suspension(world: &mut World) -> Result<()> {
    world.set_location(TenantState::Suspended)?;
    let days = world.rng.i64(1..60);
    world.pass_quietly(days * DAY_MS)?;
    world.pass(3 * MINUTE_MS, true)?;
    world.set_location(TenantState::Active)
}

fn nobody_to_tell(world: &mut World) -> Result<()> {
    world.set_admins(false)?;
    for _ in 0..3 {
        to_the_next_step(world)?;
    }
    world.set_admins(true)?;
    world.pass(2 * MINUTE_MS, true)
}

fn pause(world: &mut World) -> Result<()> {
    world.database.write(|tx| service_clock::set_paused(tx, true))?;
    let days = world.rng.i64(1..20);
    world.pass_quietly(days * DAY_MS)?;
    world.pass(3 * MINUTE_MS, true)?;
    world.database.write(|tx| service_clock::set_paused(tx, false))?;
    world.poll_all()
}

fn partition(world: &mut World) -> Result<()> {
    let node = world.rng.usize(0..world.nodes.len());
    world.nodes[node].reachable = false;
    for _ in 0..world.rng.u32(1..4) {
        to_the_next_step(world)?;
        let id = world.any_key();
        world.use_key(node, id, false)?;
    }
    world.nodes[node].reachable = true;
    world.poll_all()
}
