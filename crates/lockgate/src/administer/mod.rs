//! Commands of administrators, over the admin API. Everything here edits definitions; what may be
//! saved is decided by the server.

pub mod access;
pub mod acl;
pub mod apply;
pub mod audit;
mod certificate;
mod declared;
mod edit;
pub mod env;
pub mod export;
pub mod group;
pub mod password_policy;
mod places;
mod plan;
pub mod profile;
pub mod second_factor;
pub mod session;
mod standing;
pub mod support;
pub mod tenant;
pub mod user;
