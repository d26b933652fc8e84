//! Components: what the service's users name.

use super::id::ComponentId;

/// What the service's users name and the status page lists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Component {
    /// Its id in the config.
    pub id: ComponentId,
    /// Its name for people; the id unless given.
    pub name: String,
    /// The components that it cannot work without.
    pub depends_on: Vec<ComponentId>,
}
