//! Any history: what happens to the service and to Tripline, whatever the config.

use proptest::prelude::*;
use tripline::config::Config;
use tripline::model::{ActionKind, FailureClass, Outcome, Probe, Role, VoidReason};

/// What happens next. Numbers point at what there is, by their remainder.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A check ends, so long after the step before, as told by a clock that is off by so much.
    Check { probe: usize, after: u64, off: i64, outcome: Outcome },
    /// The same, handed in now, however long ago it ended.
    Late { probe: usize, ago: u64, outcome: Outcome },
    /// Every probe is checked, one after the other.
    Round(Round),
    /// From now on the certificates that are shown last for so many seconds.
    Certificate(u64),
    /// Nothing is checked for so many seconds.
    Silence(u64),
    /// The wall clock is set, by so many seconds.
    ClockSet(i64),
    /// Somebody acts on an incident: so many after the first that was opened, and around.
    Act(usize, ActionKind),
    /// The daemon is killed, and started again at once.
    Restart,
}

/// One check of every probe.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) hit: Hit,
    pub(super) class: FailureClass,
    /// Each check that fails has failed before, and was retried.
    pub(super) again: bool,
    /// How long a check takes that is hit and does not fail, in milliseconds: then none fails.
    pub(super) late: Option<u64>,
    /// Others fail as well: so many of 64, by this seed.
    pub(super) noise: (u64, u64),
}

/// Who is hit.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hit {
    Nobody,
    Component(usize),
    /// One value of one label.
    Cohort(usize, usize),
    Everything,
    /// Everything and the canaries: it is us.
    Us,
    /// By the bits.
    Some(u64),
}

impl Hit {
    pub(super) fn hits(self, place: usize, probe: &Probe, config: &Config) -> bool {
        let canary = probe.role == Role::Canary;
        match self {
            Self::Us => true,
            Self::Nobody => false,
            _ if canary => false,
            Self::Everything => true,
            Self::Component(which) => probe.component == config.components[which % config.components.len()].id,
            Self::Cohort(label, value) => {
                let chosen = config.cohorts.iter().nth(label % config.cohorts.len().max(1));
                chosen.is_some_and(|(name, values)| probe.labels.get(name) == values.get(value % values.len()))
            }
            Self::Some(bits) => bits >> (place % 64) & 1 == 1,
        }
    }
}

fn class() -> impl Strategy<Value = FailureClass> {
    use FailureClass as Class;
    prop::sample::select(&[
        Class::NotFound,
        Class::NotFound,
        Class::ServerError,
        Class::Timeout,
        Class::Connect,
        Class::Dns,
    ])
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        4 => Just(Outcome::Success),
        4 => class().prop_map(Outcome::Failure),
        1 => Just(Outcome::Void(VoidReason::Overrun)),
    ]
}

fn hit() -> impl Strategy<Value = Hit> {
    prop_oneof![
        4 => Just(Hit::Nobody),
        2 => any::<usize>().prop_map(Hit::Component),
        3 => (any::<usize>(), any::<usize>()).prop_map(|(label, value)| Hit::Cohort(label, value)),
        1 => Just(Hit::Everything),
        1 => Just(Hit::Us),
        1 => any::<u64>().prop_map(Hit::Some),
    ]
}

/// Some rounds alike.
fn rounds() -> impl Strategy<Value = Vec<Step>> {
    let noise = prop_oneof![3 => Just(0), 1 => 1..6_u64];
    let late = prop_oneof![6 => Just(None), 1 => (600..4_900_u64).prop_map(Some)];
    (hit(), class(), prop::bool::weighted(0.2), late, noise, any::<u64>(), 1..8_u64).prop_map(
        |(hit, class, again, late, noise, seed, count)| {
            let round =
                |each| Step::Round(Round { hit, class, again, late, noise: (noise, seed.wrapping_add(each)) });
            (0..count).map(round).collect()
        },
    )
}

fn checks(off: std::ops::Range<i64>) -> impl Strategy<Value = Vec<Step>> {
    let check = (any::<usize>(), 0..8_000_u64, off, outcome());
    let check = check.prop_map(|(probe, after, off, outcome)| Step::Check { probe, after, off, outcome });
    prop::collection::vec(check, 1..12)
}

fn late() -> impl Strategy<Value = Vec<Step>> {
    let late = (any::<usize>(), 0..7_200_000_u64, outcome());
    prop::collection::vec(late.prop_map(|(probe, ago, outcome)| Step::Late { probe, ago, outcome }), 1..6)
}

fn act() -> impl Strategy<Value = Vec<Step>> {
    use ActionKind as Kind;
    let kind = prop::sample::select(&[Kind::Acknowledge, Kind::Note, Kind::Identify, Kind::Watch, Kind::Resolve]);
    (0..8_usize, kind).prop_map(|(which, kind)| vec![Step::Act(which, kind)])
}

/// ... or corrects what no rule can know.
fn correct() -> impl Strategy<Value = Vec<Step>> {
    let kind = prop::sample::select(&[ActionKind::Merge, ActionKind::Split, ActionKind::FalseAlarm]);
    (0..8_usize, kind).prop_map(|(which, kind)| vec![Step::Act(which, kind)])
}

fn certificate() -> impl Strategy<Value = Vec<Step>> {
    (60..40 * 86_400_u64).prop_map(|left| vec![Step::Certificate(left)])
}

fn silence() -> impl Strategy<Value = Vec<Step>> {
    (1..2_000_u64).prop_map(|seconds| vec![Step::Silence(seconds)])
}

/// Anything.
pub(super) fn any_history() -> impl Strategy<Value = Vec<Step>> {
    let part = prop_oneof![
        8 => rounds(),
        2 => checks(-3_000..3_000),
        1 => checks(-7_200_000..7_200_000),
        1 => late(),
        1 => certificate(),
        1 => silence(),
        1 => (-7_200..7_200_i64).prop_map(|seconds| vec![Step::ClockSet(seconds)]),
        2 => act(),
        2 => correct(),
        1 => Just(vec![Step::Restart]),
    ];
    prop::collection::vec(part, 1..14).prop_map(|parts| parts.concat())
}

/// No clock is set, nobody acts, and nothing is restarted.
pub(super) fn unattended_history() -> impl Strategy<Value = Vec<Step>> {
    let part = prop_oneof![8 => rounds(), 1 => certificate(), 1 => silence()];
    prop::collection::vec(part, 1..14).prop_map(|parts| parts.concat())
}

/// No clock is set.
pub(super) fn steady_history() -> impl Strategy<Value = Vec<Step>> {
    let part = prop_oneof![
        8 => rounds(),
        2 => checks(-900..900),
        1 => certificate(),
        1 => silence(),
        1 => act(),
    ];
    prop::collection::vec(part, 1..10).prop_map(|parts| parts.concat())
}
