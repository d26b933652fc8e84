//! The small numbers that stand for probes, locations and addresses in result rows.

use std::collections::HashMap;
use std::net::IpAddr;

use rusqlite::Connection;

use super::error::StoreError;
use crate::model::{Location, ProbeId};

/// The numbers that the writer has met so far. Forgotten when a transaction is undone, for it may have held them.
#[derive(Default)]
pub(super) struct Keys {
    probes: HashMap<ProbeId, i64>,
    locations: HashMap<Location, i64>,
    addresses: HashMap<IpAddr, i64>,
    /// The minute of the last mark set.
    pub(super) marked: Option<i64>,
}

/// The most addresses that are remembered; a service behind ever new ones must not fill memory.
const MOST_ADDRESSES: usize = 10_000;

impl Keys {
    pub(super) fn probe(&mut self, connection: &Connection, id: &ProbeId) -> Result<i64, StoreError> {
        if let Some(key) = self.probes.get(id) {
            return Ok(*key);
        }
        let sql =
            ("INSERT INTO probe (id) VALUES (?1) ON CONFLICT DO NOTHING", "SELECT key FROM probe WHERE id = ?1");
        let key = number(connection, sql, id.as_str())?;
        self.probes.insert(id.clone(), key);
        Ok(key)
    }

    pub(super) fn location(&mut self, connection: &Connection, name: &Location) -> Result<i64, StoreError> {
        if let Some(key) = self.locations.get(name) {
            return Ok(*key);
        }
        let sql = (
            "INSERT INTO location (name) VALUES (?1) ON CONFLICT DO NOTHING",
            "SELECT key FROM location WHERE name = ?1",
        );
        let key = number(connection, sql, name.as_str())?;
        self.locations.insert(name.clone(), key);
        Ok(key)
    }

    pub(super) fn address(&mut self, connection: &Connection, address: IpAddr) -> Result<i64, StoreError> {
        if let Some(key) = self.addresses.get(&address) {
            return Ok(*key);
        }
        let sql = (
            "INSERT INTO address (text) VALUES (?1) ON CONFLICT DO NOTHING",
            "SELECT key FROM address WHERE text = ?1",
        );
        let key = number(connection, sql, &address.to_string())?;
        if self.addresses.len() >= MOST_ADDRESSES {
            self.addresses.clear();
        }
        self.addresses.insert(address, key);
        Ok(key)
    }
}

/// The number of a text: the one that it has, or a new one.
fn number(connection: &Connection, (insert, find): (&str, &str), text: &str) -> Result<i64, StoreError> {
    connection.prepare_cached(insert)?.execute([text])?;
    Ok(connection.prepare_cached(find)?.query_row([text], |row| row.get(0))?)
}

/// All names by their numbers, as a reader needs them.
pub(super) struct Names {
    probes: HashMap<i64, ProbeId>,
    locations: HashMap<i64, Location>,
    addresses: HashMap<i64, IpAddr>,
}

impl Names {
    pub(super) fn load(connection: &Connection) -> Result<Self, StoreError> {
        let pairs = |sql: &str| -> Result<Vec<(i64, String)>, StoreError> {
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        let address = |(key, text): (i64, String)| {
            let address =
                text.parse().map_err(|error| StoreError::unreadable(format!("the address {key}"), error))?;
            Ok((key, address))
        };
        Ok(Self {
            addresses: pairs("SELECT key, text FROM address")?
                .into_iter()
                .map(address)
                .collect::<Result<_, StoreError>>()?,
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

    pub(super) fn address(&self, key: i64) -> Result<IpAddr, StoreError> {
        let unknown = || StoreError::unreadable("a result", format!("there is no address {key}"));
        self.addresses.get(&key).copied().ok_or_else(unknown)
    }

    /// The numbers of all probes that have results.
    pub(super) fn all_keys(&self) -> Vec<i64> {
        self.probes.keys().copied().collect()
    }

    /// The numbers of those of these probes that have results.
    pub(super) fn keys_of(&self, probes: &[ProbeId]) -> Vec<i64> {
        let keys: HashMap<&ProbeId, i64> = self.probes.iter().map(|(key, id)| (id, *key)).collect();
        probes.iter().filter_map(|probe| keys.get(probe).copied()).collect()
    }
}
