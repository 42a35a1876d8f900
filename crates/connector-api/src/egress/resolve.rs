//! Names to addresses.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs},
    sync::Arc,
};

use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

/// Something that knows the addresses of a name.
pub trait Resolve: Send + Sync {
    /// All addresses of a name, in the order to try them.
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The machine's own resolver (`/etc/hosts`, then DNS).
///
/// It blocks a thread per look-up and cannot be called back, so the number of look-ups under way
/// is bounded: a name server that does not answer costs so many threads and no more.
#[derive(Debug, Clone)]
pub struct System {
    lookups: Arc<Semaphore>,
}

/// Look-ups that may be under way at once.
const LOOKUPS_MAX: usize = 32;
/// Addresses of one name that are looked at; more than this is no honest answer.
const ANSWERS_MAX: usize = 64;

impl Default for System {
    fn default() -> Self {
        Self { lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)) }
    }
}

impl Resolve for System {
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        // RFC 6761 §6.3: these names are this machine's, whatever its files and name servers say.
        if name == "localhost" || name.ends_with(".localhost") {
            let both = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
            return Box::pin(async move { Ok(both.to_vec()) });
        }
        let lookups = Arc::clone(&self.lookups);
        Box::pin(async move {
            let permit = lookups.acquire_owned().await.map_err(io::Error::other)?;
            let looked_up = tokio::task::spawn_blocking(move || {
                // Held until the look-up really ends, also when nobody waits for it any more.
                let _permit = permit;
                let answers: Vec<IpAddr> = (name.as_str(), 0).to_socket_addrs()?.map(|a| a.ip()).collect();
                if answers.len() > ANSWERS_MAX {
                    return Err(io::Error::other("too many addresses"));
                }
                Ok(answers)
            });
            looked_up.await.map_err(io::Error::other)?
        })
    }
}
