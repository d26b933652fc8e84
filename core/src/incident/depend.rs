//! What cannot work without what.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::model::ComponentId;

/// Whether a component cannot work without another, directly or through others.
#[must_use]
pub fn depends(needing: &ComponentId, needed: &ComponentId, config: &Config) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![needing]);
    while let Some(component) = next.pop() {
        let known = config.components.iter().find(|known| known.id == *component);
        for upstream in known.into_iter().flat_map(|known| &known.depends_on) {
            if upstream == needed {
                return true;
            }
            if seen.insert(upstream) {
                next.push(upstream);
            }
        }
    }
    false
}

/// The components among these that cannot work without another of them: what fails because of something else, perhaps.
/// A component that needs itself through others is none.
#[must_use]
pub fn consequences(hit: &BTreeSet<ComponentId>, config: &Config) -> BTreeSet<ComponentId> {
    let depends_on = |a: &ComponentId, b: &ComponentId| a != b && depends(a, b, config) && !depends(b, a, config);
    hit.iter().filter(|component| hit.iter().any(|other| depends_on(component, other))).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Component;

    fn config(edges: &[(&str, &[&str])]) -> Config {
        let components = edges.iter().map(|(id, upstream)| Component {
            id: (*id).into(),
            name: (*id).into(),
            depends_on: upstream.iter().map(|id| (*id).into()).collect(),
        });
        Config { components: components.collect(), ..crate::config::tests::empty() }
    }

    #[test]
    fn what_fails_because_of_another_is_a_consequence_and_a_circle_has_none() {
        let config =
            config(&[("website", &["api"]), ("api", &["auth"]), ("auth", &[]), ("a", &["b"]), ("b", &["a"])]);
        assert!(depends(&"website".into(), &"auth".into(), &config));
        assert!(!depends(&"auth".into(), &"website".into(), &config));
        let hit = |ids: &[&str]| ids.iter().map(|id| ComponentId::from(*id)).collect::<BTreeSet<_>>();
        assert_eq!(consequences(&hit(&["website", "auth", "a", "b"]), &config), hit(&["website"]));
    }
}
