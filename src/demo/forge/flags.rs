//! The feature flags that fail, and the count of what was asked.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::WORKSPACES;

/// A part of the forge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Area {
    /// Pages for people, and downloads.
    Website,
    /// JSON under `/api/`.
    Api,
    /// Git over HTTPS, and Git LFS.
    Git,
}

/// The feature flags: for whom they fail.
#[derive(Debug, Default)]
pub(super) struct Flags(Mutex<BTreeSet<String>>);

impl Flags {
    pub(super) fn fail_for(&self, workspace: &str) {
        self.failing().insert(workspace.to_owned());
    }

    pub(super) fn repair(&self) {
        self.failing().clear();
    }

    /// Whether the forge sees this workspace. One that it does not see is as good as one that never was.
    pub(super) fn show(&self, workspace: &str) -> bool {
        WORKSPACES.contains(&workspace) && !self.failing().contains(workspace)
    }

    fn failing(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // A set of names cannot be left half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many requests came.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Requests {
    /// For pages.
    pub website: u64,
    /// For JSON.
    pub api: u64,
    /// By Git and Git LFS.
    pub git: u64,
    /// Of all these, those answered with 404 because of their workspace.
    pub hidden: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    website: AtomicU64,
    api: AtomicU64,
    git: AtomicU64,
    hidden: AtomicU64,
}

impl Counters {
    pub(super) fn count(&self, area: Area, hidden: bool) {
        let counter = match area {
            Area::Website => &self.website,
            Area::Api => &self.api,
            Area::Git => &self.git,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.hidden.fetch_add(hidden.into(), Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Requests {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Requests {
            website: read(&self.website),
            api: read(&self.api),
            git: read(&self.git),
            hidden: read(&self.hidden),
        }
    }
}
