//! How often the faults of a run hit a window in which a missing rule would show.

/// How often the faults hit a window in which a missing rule would show.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Windows {
    pub use_between_sweeps_read_and_write: u64,
    pub sweep_between_touchs_read_and_write: u64,
    pub crash_with_unflushed_uses: u64,
    pub use_within_minutes_of_deletion: u64,
    pub late_sweep: u64,
    pub tick_race: u64,
    pub revocation_with_slow_polls: u64,
    pub restored_backup: u64,
    pub rotation_with_lost_answer: u64,
}

impl Windows {
    pub(crate) fn named(&self) -> [(&'static str, u64); 9] {
        let Self {
            use_between_sweeps_read_and_write,
            sweep_between_touchs_read_and_write,
            crash_with_unflushed_uses,
            use_within_minutes_of_deletion,
            late_sweep,
            tick_race,
            revocation_with_slow_polls,
            restored_backup,
            rotation_with_lost_answer,
        } = *self;
        [
            ("change between a sweep's read and write", use_between_sweeps_read_and_write),
            ("sweep between a touch's read and write", sweep_between_touchs_read_and_write),
            ("crash with uses that were not flushed", crash_with_unflushed_uses),
            ("use within minutes of a step", use_within_minutes_of_deletion),
            ("step more than 30 minutes late", late_sweep),
            ("two nodes decide on one tick", tick_race),
            ("revocation with slow or lost polls", revocation_with_slow_polls),
            ("restored backup", restored_backup),
            ("rotation whose answer is lost", rotation_with_lost_answer),
        ]
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.use_between_sweeps_read_and_write += other.use_between_sweeps_read_and_write;
        self.sweep_between_touchs_read_and_write += other.sweep_between_touchs_read_and_write;
        self.crash_with_unflushed_uses += other.crash_with_unflushed_uses;
        self.use_within_minutes_of_deletion += other.use_within_minutes_of_deletion;
        self.late_sweep += other.late_sweep;
        self.tick_race += other.tick_race;
        self.revocation_with_slow_polls += other.revocation_with_slow_polls;
        self.restored_backup += other.restored_backup;
        self.rotation_with_lost_answer += other.rotation_with_lost_answer;
    }
}
