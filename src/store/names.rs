//! The small numbers that stand for probes and locations in result rows.

use std::collections::HashMap;

use rusqlite::Connection;

use super::error::StoreError;
use crate::model::{Location, ProbeId};

/// The numbers that the writer has met so far. Forgotten when a transaction is undone, for it may have held them.
#[derive(Default)]
pub(super) struct Keys {
    probes: HashMap<ProbeId, i64>,
    locations: HashMap<Location, i64>,
    /// The minute of the last mark set.
    pub(super) marked: Option<i64>,
}

impl Keys {
    pub(super) fn probe(&mut self, connection: &Connection, id: &ProbeId) -> Result<i64, StoreError> {
        if let Some(key) = self.probes.get(id) {
            return Ok(*key);
        }
        connection
            .prepare_cached("INSERT INTO probe (id) VALUES (?1) ON CONFLICT DO NOTHING")?
            .execute([id.as_str()])?;
        let key = connection
            .prepare_cached("SELECT key FROM probe WHERE id = ?1")?
            .query_row([id.as_str()], |row| row.get(0))?;
        self.probes.insert(id.clone(), key);
        Ok(key)
    }

    pub(super) fn location(&mut self, connection: &Connection, name: &Location) -> Result<i64, StoreError> {
        if let Some(key) = self.locations.get(name) {
            return Ok(*key);
        }
        connection
            .prepare_cached("INSERT INTO location (name) VALUES (?1) ON CONFLICT DO NOTHING")?
            .execute([name.as_str()])?;
        let key = connection
            .prepare_cached("SELECT key FROM location WHERE name = ?1")?
            .query_row([name.as_str()], |row| row.get(0))?;
        self.locations.insert(name.clone(), key);
        Ok(key)
    }
}

/// All names by their numbers, as a reader needs them.
pub(super) struct Names {
    probes: HashMap<i64, ProbeId>,
    locations: HashMap<i64, Location>,
}

impl Names {
    pub(super) fn load(connection: &Connection) -> Result<Self, StoreError> {
        let pairs = |sql: &str| -> Result<Vec<(i64, String)>, StoreError> {
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        Ok(Self {
            probes: pairs("SELECT key, id FROM probe")?.into_iter().map(|(key, id)| (key, id.into())).collect(),
            locations: pairs("SELECT key, name FROM location")?
                .into_iter()
                .map(|(key, name)| (key, name.into()))
                .collect(),
        })
    }

    pub(super) fn probe(&self, key: i64) -> Result<ProbeId, StoreError> {
        let unknown = || StoreError::unreadable("a result", format!("there is no probe {key}"));
        self.probes.get(&key).cloned().ok_or_else(unknown)
    }

    pub(super) fn location(&self, key: i64) -> Result<Location, StoreError> {
        let unknown = || StoreError::unreadable("a result", format!("there is no location {key}"));
        self.locations.get(&key).cloned().ok_or_else(unknown)
    }

    /// The numbers of all probes that have results.
    pub(super) fn all_keys(&self) -> Vec<i64> {
        self.probes.keys().copied().collect()
    }

    /// The number of a probe that has results.
    pub(super) fn key_of(&self, id: &ProbeId) -> Option<i64> {
        self.probes.iter().find(|(_, name)| *name == id).map(|(key, _)| *key)
    }
}
