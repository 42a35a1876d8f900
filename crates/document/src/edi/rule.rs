//! What a segment holds, by name: the rules for its elements and components.

mod reading;
mod writing;

use super::{
    scalar::Scalar,
    segment::{Place, Segment},
};

pub(super) use reading::Reading;
pub(super) use writing::{Writing, is_absent, members};

/// Elements in their order; none where an element is not used.
pub(super) type Elements = Vec<Option<Element>>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    pub name: String,
    pub required: bool,
    /// How often it may stand; more than once makes an array of its value.
    pub repeat: u32,
    pub content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    Simple(Scalar),
    Composite(Vec<Option<Component>>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Component {
    pub name: String,
    pub required: bool,
    pub scalar: Scalar,
}

/// Pieces whose text is known beforehand: a selector such as `NM1*85`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Selector(pub Vec<(Place, String)>);

impl Selector {
    pub fn takes(&self, segment: &Segment) -> bool {
        self.0.iter().all(|(place, text)| segment.get(place.element, place.component) == text)
    }
    /// The text that must stand at this place.
    fn at(&self, place: Place) -> Option<&str> {
        self.0.iter().find(|(selected, _)| *selected == place).map(|(_, text)| text.as_str())
    }
}
