//! `components`: what users name, and what needs what.

use std::collections::BTreeMap;

use super::problem::Place;
use super::raw::keyed::keyed;
use super::raw::word::Words;
use super::reader::{Entry, Names, Reader};
use super::words::shown_name;
use crate::model::{self, ComponentId};

keyed! {
    /// What users name and the status page lists.
    pub struct Component {
        /// Its name for people. Default: its id.
        pub name: Option<String>,
        /// The components that it cannot work without.
        pub depends_on: Option<Words>,
    }
}

pub(super) fn read(reader: &mut Reader<'_>, entry: Entry<'_>) -> Option<Vec<model::Component>> {
    let example = "write `components: {website: {name: Website}}`";
    let entries = reader.ids(entry, example)?;
    if entries.is_empty() {
        reader.fault(entry.at, "there are no components", example);
    }
    let ids = Names { what: "component", all: entries.iter().map(|entry| entry.name).collect(), needed: true };
    let mut components = Vec::new();
    let mut places = BTreeMap::new();
    for entry in &entries {
        let table = reader.table(*entry, Component::KEYS, "write `{name: …}`, or nothing");
        let name = table.as_ref().and_then(|table| table.get("name")).and_then(|entry| shown_name(reader, entry));
        let depends_on = table
            .as_ref()
            .and_then(|table| table.get("depends_on"))
            .and_then(|entry| reader.references(entry, &ids, "name components, or remove the key"))
            .unwrap_or_default();
        places.insert(ComponentId::from(entry.name), entry.at);
        components.push(model::Component {
            id: entry.name.into(),
            name: name.unwrap_or_else(|| entry.name.into()),
            depends_on: depends_on.into_iter().map(ComponentId::from).collect(),
        });
    }
    circles(reader, &components, &places);
    Some(components)
}

/// Components that need each other in a circle: each circle is told once, at its first component.
fn circles(reader: &mut Reader<'_>, components: &[model::Component], places: &BTreeMap<ComponentId, Place>) {
    let needs: BTreeMap<&ComponentId, &[ComponentId]> =
        components.iter().map(|component| (&component.id, component.depends_on.as_slice())).collect();
    let mut told: Vec<&ComponentId> = Vec::new();
    for component in components {
        if told.contains(&&component.id) {
            continue;
        }
        // A breadth-first search for the shortest way back.
        let mut came_from: BTreeMap<&ComponentId, &ComponentId> = BTreeMap::new();
        let mut queue = std::collections::VecDeque::from([&component.id]);
        while let Some(id) = queue.pop_front() {
            for next in needs.get(id).copied().unwrap_or_default() {
                if !came_from.contains_key(next) {
                    came_from.insert(next, id);
                    queue.push_back(next);
                }
            }
        }
        if !came_from.contains_key(&component.id) {
            continue;
        }
        let mut circle = vec![&component.id];
        while let Some(previous) = circle.last().and_then(|id| came_from.get(*id)) {
            circle.push(previous);
            if **previous == component.id {
                break;
            }
        }
        circle.reverse();
        let shown: Vec<String> = circle.iter().map(|id| format!("`{id}`")).collect();
        told.extend(circle);
        if let Some(place) = places.get(&component.id) {
            let fault = format!("components depend on each other in a circle: {}", shown.join(" needs "));
            reader.fault(*place, fault, "remove one of these `depends_on`");
        }
    }
}
