//! Services and their ports.

use std::collections::BTreeSet;

use super::{Described, Port, Reader, Service, bindings::Bound, documents::Kind, part::Part};
use crate::{Version, problem::shown};

impl<'d> Reader<'d> {
    pub(super) fn services(&mut self) -> Vec<Service> {
        let documents = self.documents;
        // What nobody names is looked at as well: what is wrong there is wrong.
        for message in documents.all(Kind::Message) {
            self.parts(message);
        }
        let services = documents.all(Kind::Service);
        let services = services.into_iter().map(|service| {
            let ports = service.children().filter(|part| part.is("port")).filter_map(|port| self.port(port));
            Service { name: service.name().to_owned(), ports: ports.collect() }
        });
        let services = services.collect();
        let named = documents.all(Kind::Service).into_iter().flat_map(|service| service.children());
        let named = named.filter_map(|port| port.attribute("binding")?.rsplit(':').next());
        let named: BTreeSet<&str> = named.collect();
        let is_named = |binding: &Part<'_>| named.contains(binding.name());
        for binding in documents.all(Kind::Binding).into_iter().filter(|binding| !is_named(binding)) {
            let _ = self.bound(binding);
            let message = format!("no port is of the binding `{}`", shown(binding.name()));
            self.leave_out(binding, message, "name it in a `port`, or leave it as it is");
        }
        services
    }

    fn port(&mut self, port: Part<'d>) -> Option<Port> {
        let binding = self.find(Kind::Binding, port, "binding")?;
        let Bound { version, operations } = self.bound(binding)?;
        if !self.goes(port, operations.len()) {
            return None;
        }
        let addresses = Version::ALL.map(super::bindings::namespace);
        let address = addresses.iter().find_map(|namespace| port.child_of(namespace, "address"));
        // The address of an account is that it is bound to: a description without one can be used.
        let address = address.and_then(|address| address.attribute("location")).unwrap_or_default().to_owned();
        Some(Port { name: port.name().to_owned(), address, version, operations })
    }
}

impl Port {
    /// The operation of this name.
    pub fn operation(&self, name: &str) -> Option<&Described> {
        self.operations.iter().find(|operation| operation.name == name)
    }
}
